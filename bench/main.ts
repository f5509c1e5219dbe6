import { runMain } from '../tools/report';
import { attachments } from './attachments';
import { cost } from './cost';
import { delivery } from './delivery';
import { engine } from './engine';
import { list } from './list';
import { long } from './long';
import { respond } from './respond';
import { runBenchmarks } from './sections';
import { send } from './send';
import { trigger } from './trigger';

const benchmarks = [trigger, delivery, respond, engine, send, list, attachments, long, cost];
runMain(async () => await runBenchmarks(benchmarks, process.argv.slice(2)));
