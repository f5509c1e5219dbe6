import { CommunicationError } from './errors';
import { hashOf } from './signature';

/** How long request ids are remembered. Inferred. */
const WINDOW_MS = 24 * 3_600_000;

/** A request with an idempotency key, which Azure calls its Repeatability-Request-ID. */
interface KeyedRequest {
	requestId: string;
	firstSent: string;
	path: string;
	body: Buffer;
}

const rejected = (reason: string) => new CommunicationError('RepeatabilityRejected', reason);

/**
 * Reads the two Repeatability headers; undefined when there are none.
 *
 * @param now milliseconds since 1970
 * @throws CommunicationError when there is one without the other, or the date is too long ago
 */
export function readRepeatability(
	headers: Record<string, string>,
	path: string,
	body: Buffer,
	now: number,
): KeyedRequest | undefined {
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

/** The answers to requests that had a Repeatability-Request-ID, so that none of them is carried out twice. */
export class RepeatedRequests<T> {
	private readonly done = new Map<string, { fingerprint: string; answer: T }>();

	/**
	 * Carries out a request once.
	 *
	 * @param run carries it out; an error is not remembered, so that the same id can be tried again
	 * @returns the answer, and whether it is that of an earlier request
	 * @throws CommunicationError when the id is known from another request
	 */
	once(request: KeyedRequest, run: () => T): { answer: T; isRepeated: boolean } {
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
