import { NotAnActivity } from '../activity/read';
import { exceededLimit, type Json } from '../../shared/json';

/**
 * Refuses a body that is nested too deeply or holds too many values.
 * @throws NotAnActivity with status 400 for the depth, 413 for the number of values.
 */
export function checkBodyLimits(body: Json | undefined): void {
	switch (exceededLimit(body)) {
		case 'depth':
			throw new NotAnActivity('The body is nested too deeply', 400);
		case 'values':
			throw new NotAnActivity('The body holds too many values', 413);
	}
}
