import { runMain } from '../test/e2e/support';
import { runBenchmarks } from './sections';

runMain(async () => await runBenchmarks([], process.argv.slice(2)));
