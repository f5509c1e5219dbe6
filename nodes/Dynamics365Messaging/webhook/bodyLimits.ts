import { NotAnActivity } from '../activity/read';
import { isRecord, type Json } from '../../shared/json';

/** Far more than any activity has; what has more would cost n8n its time or its stack when it stores the item. */
const MAX_DEPTH = 64;
const MAX_VALUES = 20_000;

/**
 * Refuses a body that is nested too deeply or holds too many values. Without recursion, and it stops at the limit.
 * @throws NotAnActivity
 */
export function checkBodyLimits(body: Json | undefined): void {
	let level: Json[] = body === undefined ? [] : [body];
	let values = 0;
	for (let depth = 0; level.length > 0; depth++) {
		if (depth > MAX_DEPTH) throw new NotAnActivity('The body is nested too deeply', 400);
		const next: Json[] = [];
		for (const value of level) {
			if (!Array.isArray(value) && !isRecord(value)) continue;
			const size = Array.isArray(value) ? value.length : Object.keys(value).length;
			values += size;
			if (values > MAX_VALUES) throw new NotAnActivity('The body holds too many values', 413);
			for (const inner of Array.isArray(value) ? value : Object.values(value)) next.push(inner);
		}
		level = next;
	}
}
