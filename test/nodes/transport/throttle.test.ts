import { ServiceError } from '../../../nodes/shared/transport/errors';
import { backoffDelay, parseRetryAfter } from '../../../nodes/shared/transport/backoff';
import { Throttle } from '../../../nodes/shared/transport/throttle';

const DATE = 'Fri, 20 Nov 2026 10:00:00 GMT';

test.each<[string | undefined, string | undefined, number | undefined]>([
	[undefined, DATE, undefined],
	['', DATE, undefined],
	['soon', DATE, undefined],
	['-5', DATE, undefined],
	['1.5', DATE, undefined],
	['0', DATE, 0],
	[' 120 ', DATE, 120_000],
	['Fri, 20 Nov 2026 10:00:30 GMT', DATE, 30_000],
	['Fri, 20 Nov 2026 09:59:00 GMT', DATE, 0],
])('Retry-After %p at %p is %p ms', (retryAfter, date, ms) =>
	expect(parseRetryAfter(retryAfter, date)).toBe(ms),
);

test('a date without a clock of the service beside it is read by our own', () => {
	const inAMinute = new Date(Date.now() + 60_000).toUTCString();
	for (const date of [undefined, 'nonsense']) {
		expect(parseRetryAfter(inAMinute, date)).toBeGreaterThan(57_000);
		expect(parseRetryAfter(inAMinute, date)).toBeLessThanOrEqual(60_000);
	}
});

test.each([
	[1, 0, 1000],
	[1, 1, 1200],
	[2, 0, 2000],
	[5, 0, 16_000],
	[6, 0, 30_000],
	[50, 1, 32_000],
])('before try %i + 1, with the dice at %d, is a pause of %i ms', (tries, dice, ms) => {
	expect(backoffDelay(tries, () => dice)).toBe(ms);
});

describe('a run that is held back', () => {
	const busy = new ServiceError({
		message: 'busy',
		description: '',
		httpCode: 429,
		correlationId: 'c',
		outcome: 'uncertain',
	});

	test('goes on when the time is over, not before, and not all of it at once', async () => {
		const throttle = new Throttle(60_000);
		const from = Date.now();
		throttle.pauseAll(300, busy);
		throttle.pauseAll(10, busy);
		const ends = await Promise.all(
			Array.from({ length: 20 }, async () => {
				await throttle.waitForNextTry(from + 60_000);
				return Date.now() - from;
			}),
		);
		for (const end of ends) expect(end).toBeGreaterThanOrEqual(295);
		expect(new Set(ends).size).toBeGreaterThan(1);
	});

	test.each<[string, number, number, (throttle: Throttle) => Promise<void>]>([
		['a next try', 1_000, 60_000, async (throttle) => await throttle.waitForNextTry(Date.now() + 1_000)],
		['a first try', 0, 60_001, async (throttle) => await throttle.waitForFirstTry()],
		['a first try with more time', 300_000, 300_001, async (throttle) => await throttle.waitForFirstTry()],
	])('gives up at once %s that cannot wait so long, and says why', async (_, maxRetryMs, pauseMs, wait) => {
		const throttle = new Throttle(maxRetryMs);
		throttle.pauseAll(pauseMs, busy);
		await expect(wait(throttle)).rejects.toMatchObject({
			message: 'This was not tried: busy',
			httpCode: 429,
			correlationId: null,
			outcome: 'notSent',
		});
	});

	test('lets a first try wait through several pauses, however short the time for retries', async () => {
		const throttle = new Throttle(0);
		const from = Date.now();
		throttle.pauseAll(200, busy);
		const waiting = throttle.waitForFirstTry();
		setTimeout(() => throttle.pauseAll(200, busy), 100);
		await waiting;
		expect(Date.now() - from).toBeGreaterThanOrEqual(295);
	});

	test('is let go when the execution is cancelled', async () => {
		const controller = new AbortController();
		const throttle = new Throttle(60_000, controller.signal);
		throttle.pauseAll(30_000, busy);
		const waiting = throttle.waitForNextTry(Date.now() + 60_000);
		controller.abort();
		await expect(waiting).rejects.toThrow('cancelled');
		await expect(new Throttle(0, controller.signal).waitForFirstTry()).rejects.toThrow('cancelled');
	});
});
