import { NotAnActivity } from '../activity/read';
import { isRecord, type Json } from '../../shared/json';

/** Far more than any activity has. Storing a larger item would block n8n or exhaust its stack. */
const MAX_DEPTH = 64;
const MAX_VALUES = 20_000;

/**
 * Refuses a body that is nested too deeply or holds too many values. It does not recurse, and stops at the limit.
 * @throws NotAnActivity with status 400 for the depth, 413 for the number of values.
 */
export function checkBodyLimits(body: Json | undefined): void {
	let level: Json[] = body === undefined ? [] : [body];
	let values = 0;
	for (let depth = 0; level.length > 0; depth++) {
		if (depth > MAX_DEPTH) throw new NotAnActivity('The body is nested too deeply', 400);
		const next: Json[] = [];
		for (const value of level) {
			if (!Array.isArray(value) && !isRecord(value)) continue;
			const inner = Object.values(value);
			values += inner.length;
			if (values > MAX_VALUES) throw new NotAnActivity('The body holds too many values', 413);
			for (const one of inner) next.push(one);
		}
		level = next;
	}
}
