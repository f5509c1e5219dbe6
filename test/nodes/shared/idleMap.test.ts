import { IdleMap } from '../../../nodes/shared/idleMap';
import { movableClocks } from '../../support/clocks';

const MINUTE = 60_000;
let clocks: ReturnType<typeof movableClocks>;
const clock = (ms: number) => clocks.pass(ms);
beforeEach(() => void (clocks = movableClocks()));
afterEach(() => clocks.restore());

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

test.each([-24, 48])('a clock that is set by %i hours neither keeps nor drops anything', (hours) => {
	const { kept, use } = map();
	use('a');
	clocks.set(hours * 60 * MINUTE);
	expect(use('b')).toBe('b 2');
	expect(use('a')).toBe('a 1');
	clock(60 * MINUTE);
	use('c');
	expect(kept.size).toBe(1);
});

test('the one that nobody has used for the longest is dropped first, and no other', () => {
	const { kept, use } = map();
	for (const key of ['a', 'b', 'c']) {
		use(key);
		clock(10 * MINUTE);
	}
	use('a');
	clock(35 * MINUTE);
	use('d');
	expect(kept.size).toBe(4);
	clock(5 * MINUTE);
	expect(use('c')).toBe('c 3');
	expect(use('a')).toBe('a 1');
	expect(kept.size).toBe(3);
	expect(use('b')).toBe('b 5');
});

test('what cannot be made is not kept', () => {
	const { kept } = map();
	const fail = () => {
		throw new Error('no');
	};
	expect(() => kept.getOrMake('a', fail)).toThrow('no');
	expect(kept.size).toBe(0);
});
