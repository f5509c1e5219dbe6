// Measures the processor time and memory of a process with Linux's /proc. On other systems, these benchmarks cannot run.
import { readFileSync, writeFileSync } from 'node:fs';

/** Linux counts in hundredths of a second, on every machine that Node.js runs on. */
const TICK_MS = 10;

/** The process of n8n. @throws Error where it could not be started. */
export function pidOf({ pid }: { pid: number | undefined }): number {
	if (pid === undefined) throw new Error('n8n has no process');
	return pid;
}

/** Processor time that a process has used so far, all of its threads, milliseconds. */
export function cpuMs(pid: number): number {
	const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
	// The name of the program stands in brackets, and may contain blanks and brackets.
	const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
	const [userTicks, systemTicks] = fields.slice(11, 13).map(Number);
	return ((userTicks ?? NaN) + (systemTicks ?? NaN)) * TICK_MS;
}

/** Memory of a process that is in RAM, bytes: now, and the most since the start or {@link forgetPeak}. */
export function memoryOf(pid: number): { now: number; peak: number } {
	const status = readFileSync(`/proc/${pid}/status`, 'utf8');
	const bytes = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024;
	return { now: bytes('VmRSS'), peak: bytes('VmHWM') };
}

/** Resets the peak memory of a process. */
export function forgetPeak(pid: number): void {
	writeFileSync(`/proc/${pid}/clear_refs`, '5');
}
