import { join } from 'node:path';
import { objectAt, readDocument, statusOfCode } from '../contract/open';

/** The contract of Azure Communication Services, `contract.yaml`. */
export const document = readDocument(join(__dirname, 'contract.yaml'));

/** The HTTP status of a code. @throws Error for a code that the contract does not have */
export const statusOf = (code: string): number => statusOfCode(document, code);

/** The code of an error of which only the status is known, e.g. an injected fault. */
export const codeOf = (status: number): string =>
	Object.keys(objectAt(document, 'x-error-codes')).find((code) => statusOf(code) === status) ?? 'Error';

/** An error of Azure Communication Services. */
export class CommunicationError extends Error {
	readonly status: number;

	/** @param code one of the contract's */
	constructor(
		readonly code: string,
		message: string,
		readonly more: { target?: string; innererror?: { code: string; message: string } } = {},
	) {
		super(message);
		this.status = statusOf(code);
	}
}

/** WhatsApp's error about a message, which the service passes on as the inner error. The form is inferred. */
export const refusedByWhatsApp = (target: string, code: number, text: string) =>
	new CommunicationError('BadRequest', 'The message could not be sent to WhatsApp.', {
		target,
		innererror: { code: String(code), message: `(#${code}) ${text}` },
	});
