import { join } from 'node:path';
import { objectAt, readDocument } from '../contract/open';

/** What the real cause was, e.g. WhatsApp's own words. */
export interface InnerError {
	code: string;
	message: string;
}

/** The contract of Azure Communication Services, `contract.yaml`. */
export const document = readDocument(join(__dirname, 'contract.yaml'));

const CODES = objectAt(document, 'x-error-codes');

/**
 * The HTTP status that a code comes with.
 *
 * @throws Error for a code that the contract does not have
 */
export function statusOf(code: string): number {
	const { status } = objectAt(CODES, code);
	if (typeof status !== 'number') throw new Error(`The contract has no error code ${code}`);
	return status;
}

/** The code that a status comes with when nothing more is known, as for an injected fault. */
export const codeOf = (status: number): string =>
	Object.keys(CODES).find((code) => statusOf(code) === status) ?? 'Error';

/** What Azure Communication Services refuses. */
export class CommunicationError extends Error {
	readonly status: number;

	/** @param code one of the contract's */
	constructor(
		readonly code: string,
		message: string,
		readonly more: { target?: string; innererror?: InnerError } = {},
	) {
		super(message);
		this.status = statusOf(code);
	}
}

/** What WhatsApp says to a message, which reaches the caller as the inner error. Its form is inferred. */
export const refusedByWhatsApp = (target: string, code: number, text: string) =>
	new CommunicationError('BadRequest', 'The message could not be sent to WhatsApp.', {
		target,
		innererror: { code: String(code), message: `(#${code}) ${text}` },
	});
