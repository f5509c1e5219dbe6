import { runMain } from '../tools/report';
import { attachments } from './attachments';
import { cost } from './cost';
import { list } from './list';
import { runBenchmarks } from './sections';
import { send } from './send';
import { trigger } from './trigger';

runMain(async () => await runBenchmarks([trigger, send, list, attachments, cost], process.argv.slice(2)));
