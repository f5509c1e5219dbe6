// Loaded into n8n by `node --require`, where a benchmark wants to know where the processor's time and the memory go: SIGUSR2
// begins a profile and ends it. BENCH_PROFILE names the file that it is written to; `.started` is appended while it runs.
const { renameSync, rmSync, writeFileSync } = require('node:fs');
const { Session } = require('node:inspector');

const file = process.env.BENCH_PROFILE;
// Child processes of n8n have the variables, too, and nothing to tell.
delete process.env.NODE_OPTIONS;
/** How often the memory is looked at. */
const LOOK_MS = 5;
let session;
let memory;
let looking;

function look() {
	const now = process.memoryUsage();
	memory ??= { before: now, largest: now };
	if (now.rss > memory.largest.rss) memory.largest = now;
}

process.on('SIGUSR2', () => {
	if (!session) {
		look();
		looking = setInterval(look, LOOK_MS);
		session = new Session();
		session.connect();
		session.post('Profiler.enable');
		session.post('Profiler.start', () => writeFileSync(`${file}.started`, ''));
		return;
	}
	clearInterval(looking);
	session.post('Profiler.stop', (_, { profile }) => {
		writeFileSync(`${file}.part`, JSON.stringify({ profile, memory }));
		renameSync(`${file}.part`, file);
		rmSync(`${file}.started`);
	});
	session.disconnect();
	session = undefined;
	memory = undefined;
});
