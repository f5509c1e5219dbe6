import { runMain } from '../tools/report';
import { attachments } from './attachments';
import { cost } from './cost';
import { delivery } from './delivery';
import { engine } from './engine';
import { list } from './list';
import { runBenchmarks } from './sections';
import { send } from './send';
import { trigger } from './trigger';

const benchmarks = [trigger, delivery, engine, send, list, attachments, cost];
runMain(async () => await runBenchmarks(benchmarks, process.argv.slice(2)));
