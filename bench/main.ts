import { runMain } from '../test/e2e/support';
import { cost } from './cost';
import { runBenchmarks } from './sections';
import { trigger } from './trigger';

runMain(async () => await runBenchmarks([trigger, cost], process.argv.slice(2)));
