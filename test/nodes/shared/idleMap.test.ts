import { IdleMap } from '../../../nodes/shared/idleMap';
import { REAL_TIMERS } from '../../support/timers';

const MINUTE = 60_000;
const clock = (ms: number) => jest.setSystemTime(Date.now() + ms);
beforeEach(() => void jest.useFakeTimers({ doNotFake: [...REAL_TIMERS] }));
afterEach(() => jest.useRealTimers());

const map = () => {
	const kept = new IdleMap<string>();
	let made = 0;
	return { kept, use: (key: string) => kept.getOrMake(key, () => `${key} ${++made}`) };
};

test('what is used is kept, and what is idle for an hour is dropped', () => {
	const { kept, use } = map();
	expect([use('a'), use('b'), use('a')]).toEqual(['a 1', 'b 2', 'a 1']);
	clock(59 * MINUTE);
	expect(use('a')).toBe('a 1');
	clock(MINUTE);
	expect(use('a')).toBe('a 1');
	expect(kept.size).toBe(1);
	expect(use('b')).toBe('b 3');
	clock(60 * MINUTE);
	expect(use('a')).toBe('a 4');
	expect(kept.size).toBe(1);
});

test('a clock that is set back keeps nothing for longer', () => {
	const { kept, use } = map();
	use('a');
	clock(-24 * 60 * MINUTE);
	expect(use('b')).toBe('b 2');
	expect(kept.size).toBe(2);
	clock(60 * MINUTE);
	use('c');
	expect(kept.size).toBe(1);
});

test('what cannot be made is not kept', () => {
	const { kept } = map();
	const fail = () => {
		throw new Error('no');
	};
	expect(() => kept.getOrMake('a', fail)).toThrow('no');
	expect(kept.size).toBe(0);
});
