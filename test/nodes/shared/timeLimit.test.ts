import { getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { timeLimit } from '../../../nodes/shared/timeLimit';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** What is told to whoever holds the signal alone, as a transport does. */
async function reasonAfterCollecting(make: () => AbortSignal): Promise<unknown> {
	const told = (() => {
		const signal = make();
		return new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason?.name)));
	})();
	for (let time = 0; time < 3; time++) {
		await sleep(10);
		collectGarbage();
	}
	return await Promise.race([told, sleep(1_000, 'nothing', { ref: false })]);
}

test('ends also where nobody but a waiting request holds its signal, and memory was cleared up', async () => {
	const other = new AbortController();
	expect(await reasonAfterCollecting(() => timeLimit(200, other.signal).signal)).toBe('TimeoutError');
	expect(getEventListeners(other.signal, 'abort')).toEqual([]);
});

test('ends with the other signal, at once where that has ended, and leaves nothing there', () => {
	const other = new AbortController();
	const { signal } = timeLimit(60_000, other.signal);
	const { signal: cleared, clear } = timeLimit(60_000, other.signal);
	clear();
	other.abort(new Error('stopped'));
	expect([signal.aborted, cleared.aborted]).toEqual([true, false]);
	expect(signal.reason).toMatchObject({ message: 'stopped' });
	expect(timeLimit(60_000, other.signal).signal.aborted).toBe(true);
	expect(getEventListeners(other.signal, 'abort')).toEqual([]);
});

test('keeps no process alive', () => {
	const before = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
	timeLimit(60_000);
	expect(process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout')).toHaveLength(before);
});
