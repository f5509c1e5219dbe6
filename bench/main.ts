import { runMain } from '../tools/report';
import { attachments } from './attachments';
import { cost } from './cost';
import { engine } from './engine';
import { list } from './list';
import { runBenchmarks } from './sections';
import { send } from './send';
import { trigger } from './trigger';

const benchmarks = [trigger, engine, send, list, attachments, cost];
runMain(async () => await runBenchmarks(benchmarks, process.argv.slice(2)));
