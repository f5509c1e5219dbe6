// Loaded into n8n: it must not stay behind when what started it was killed and could not stop it.
const parent = process.ppid;
setInterval(() => {
	if (process.ppid !== parent) process.kill(process.pid, 'SIGTERM');
}, 1000).unref();
