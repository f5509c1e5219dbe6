import { CommunicationError } from './errors';
import { hashOf } from './signature';

/** How long ids are remembered. Inferred. */
const WINDOW_MS = 24 * 3_600_000;

/** A request that says it may be a repetition. */
export interface Repeatable {
	requestId: string;
	firstSent: string;
	path: string;
	body: Buffer;
}

const rejected = (reason: string) => new CommunicationError('RepeatabilityRejected', reason);

/**
 * What the two Repeatability headers say; undefined when there are none.
 *
 * @param now milliseconds since 1970
 * @throws CommunicationError when there is one without the other, or the date is too long ago
 */
export function readRepeatability(
	headers: Record<string, string>,
	path: string,
	body: Buffer,
	now: number,
): Repeatable | undefined {
	const requestId = headers['repeatability-request-id']?.toLowerCase();
	const firstSent = headers['repeatability-first-sent'];
	if (requestId === undefined && firstSent === undefined) return undefined;
	if (requestId === undefined || firstSent === undefined) {
		throw rejected('Repeatability-Request-ID and Repeatability-First-Sent must come together.');
	}
	if (now - Date.parse(firstSent) > WINDOW_MS) {
		throw rejected('Repeatability-First-Sent is more than 24 hours ago.');
	}
	return { requestId, firstSent, path, body };
}

/** The requests that were done under a Repeatability-Request-ID, with their answers. */
export class RepeatedRequests<T> {
	private readonly done = new Map<string, { fingerprint: string; answer: T }>();

	/**
	 * Does a request once.
	 *
	 * @param run does it; what it throws is not remembered, so that the same id can be tried again
	 * @throws CommunicationError when the id is known from another request
	 */
	once(request: Repeatable, run: () => T): { answer: T; isRepeated: boolean } {
		const { body, firstSent, path, requestId } = request;
		const fingerprint = [firstSent, path, hashOf(body)].join('\n');
		const known = this.done.get(requestId);
		if (!known) {
			const answer = run();
			this.done.set(requestId, { fingerprint, answer });
			return { answer, isRepeated: false };
		}
		if (known.fingerprint !== fingerprint) {
			throw rejected('Repeatability-Request-ID was used for another request, or with another date.');
		}
		return { answer: known.answer, isRepeated: true };
	}
}
