import { REAL_TIMERS } from './timers';

/** The two clocks of a process. */
interface Clocks {
	/** Lets time pass, milliseconds: both clocks show it. */
	pass: (ms: number) => void;
	/** Sets the clock on the wall, as a person or a time server does, milliseconds ahead or back. The other one does not notice. */
	set: (ms: number) => void;
	/** Gives both clocks back. */
	restore: () => void;
}

/** What has passed by all tests of a file: what they share must not see the one clock go back that never does. */
let passed = 0;

/** Makes both clocks movable. That on the wall stands still but for that; timers stay real. */
export function movableClocks(): Clocks {
	const now = performance.now.bind(performance);
	const monotonic = jest.spyOn(performance, 'now').mockImplementation(() => now() + passed);
	jest.useFakeTimers({ now: Date.now(), doNotFake: [...REAL_TIMERS] });
	const set = (ms: number) => jest.setSystemTime(Date.now() + ms);
	return {
		pass: (ms) => {
			passed += ms;
			set(ms);
		},
		set,
		restore: () => {
			jest.useRealTimers();
			monotonic.mockRestore();
		},
	};
}
