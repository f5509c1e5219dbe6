import { ServiceError } from '../../../nodes/shared/transport/errors';
import { backoffDelay, parseRetryAfter } from '../../../nodes/shared/transport/backoff';
import { pauseAdvice, Throttle } from '../../../nodes/shared/transport/throttle';
import { REAL_TIMERS } from '../../support/timers';

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

test.each([
	[90_000, 'of 90 s, until 2026-11-20T10:01:30Z: try again then.'],
	[89_001, 'of 90 s, until 2026-11-20T10:01:30Z: try again then.'],
	[7_200_000, 'of 7,200 s, until 2026-11-20T12:00:00Z: try again then.'],
	[365 * 86_400_000, 'of 31,536,000 s, until 2027-11-20T10:00:00Z: try again then.'],
	[1e18, 'of more than a year, which is hardly meant: try again later.'],
	[parseRetryAfter('9'.repeat(400)) ?? 0, 'of more than a year, which is hardly meant: try again later.'],
])('a pause of %d ms is told with its end', (ms, words) => {
	expect(pauseAdvice(ms, Date.parse(DATE))).toBe(`The service asks for a pause ${words}`);
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
		const from = performance.now();
		throttle.pauseAll(300, busy);
		throttle.pauseAll(10, busy);
		const ends = await Promise.all(
			Array.from({ length: 20 }, async () => {
				await throttle.waitForNextTry(from + 60_000);
				return performance.now() - from;
			}),
		);
		for (const end of ends) expect(end).toBeGreaterThanOrEqual(295);
		expect(new Set(ends).size).toBeGreaterThan(1);
	});

	test.each<[string, number, number, (throttle: Throttle) => Promise<void>]>([
		[
			'a next try',
			1_000,
			60_000,
			async (throttle) => await throttle.waitForNextTry(performance.now() + 1_000),
		],
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
			description: expect.stringMatching(
				/^The service asks for a pause of \d[\d,]* s, until 20\d\d-.*Z: try again then\.$/,
			),
		});
	});

	test('lets a first try wait through several pauses, however short the time for retries', async () => {
		const throttle = new Throttle(0);
		const from = performance.now();
		throttle.pauseAll(200, busy);
		const waiting = throttle.waitForFirstTry();
		setTimeout(() => throttle.pauseAll(200, busy), 100);
		await waiting;
		expect(performance.now() - from).toBeGreaterThanOrEqual(295);
	});

	test.each([3_600_000, -3_600_000])(
		'waits as long where the machine’s clock is set by %i ms',
		async (ms) => {
			jest.useFakeTimers({ now: Date.now(), doNotFake: [...REAL_TIMERS] });
			try {
				const throttle = new Throttle(60_000);
				const from = performance.now();
				throttle.pauseAll(300, busy);
				jest.setSystemTime(Date.now() + ms);
				await throttle.waitForFirstTry();
				expect(performance.now() - from).toBeGreaterThanOrEqual(295);
				expect(performance.now() - from).toBeLessThan(5_000);
			} finally {
				jest.useRealTimers();
			}
		},
		10_000,
	);

	test('is let go when the execution is cancelled', async () => {
		const controller = new AbortController();
		const throttle = new Throttle(60_000, controller.signal);
		throttle.pauseAll(30_000, busy);
		const waiting = throttle.waitForNextTry(performance.now() + 60_000);
		controller.abort();
		await expect(waiting).rejects.toThrow('cancelled');
		await expect(new Throttle(0, controller.signal).waitForFirstTry()).rejects.toThrow('cancelled');
	});
});
