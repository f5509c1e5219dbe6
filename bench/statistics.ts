// Pure functions that say how sure a measured ratio is.
import { numbers } from './order';

/** The middle value; the mean of the two in the middle of an even number. NaN of none. */
export function median(values: number[]): number {
	const sorted = [...values].sort((one, other) => one - other);
	const middle = sorted.length / 2;
	const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
	return low === undefined || high === undefined ? NaN : (low + high) / 2;
}

/** The value below which the given share (0 to 1) of the values lies, by nearest rank. NaN of none. */
export function quantile(values: number[], share: number): number {
	const sorted = [...values].sort((one, other) => one - other);
	return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

/** The bounds between which a ratio lies with 95 % probability. */
export type Interval = readonly [low: number, high: number];

/** A ratio, and how sure it is. */
export interface Ratio {
	ratio: number;
	interval: Interval;
}

const RESAMPLES = 2_000;

/**
 * The 95 % interval of what is computed of rounds, by bootstrap: it is computed anew of as many rounds, which are drawn at
 * random with repetition. The same rounds always have the same interval.
 * @param statistic is called with a drawing of the rounds.
 */
export function intervalOf<Round>(
	rounds: readonly Round[],
	statistic: (drawn: Round[]) => number,
	resamples = RESAMPLES,
): Interval {
	const random = numbers(rounds.length);
	const draw = () =>
		rounds.flatMap(() => {
			const drawn = rounds[Math.floor(random.next().value * rounds.length)];
			return drawn === undefined ? [] : [drawn];
		});
	const values = Array.from({ length: resamples }, () => statistic(draw()));
	return [quantile(values, 0.025), quantile(values, 0.975)];
}

/**
 * The median over rounds of what one did divided by what the other did in the same round, so that what slows down a round
 * weighs on both.
 */
export function ratioOf(ones: readonly number[], others: readonly number[]): Ratio {
	const ratios = ones.flatMap((one, round) => {
		const other = others[round];
		return other === undefined ? [] : [one / other];
	});
	return { ratio: median(ratios), interval: intervalOf(ratios, median) };
}

/** Whether the interval of a ratio lies within a distance from it. False of no number. */
export function isSure({ ratio, interval: [low, high] }: Ratio, within: number): boolean {
	return ratio - low <= within && high - ratio <= within;
}
