import { InputError } from '../../shared/transport/errors';
import { EmbeddedFile } from '../../shared/transport/requestBody';

/** What one message may have with all that goes along. Source: docs/service-facts.md#message-size. */
const MAX_BYTES = 28 * 1024;

/** Leaves embedded files out, which have a limit of their own. */
function withoutFiles(key: string, value: unknown): unknown {
	if (value instanceof EmbeddedFile) return '';
	const isFile = key === 'contentUrl' && typeof value === 'string' && !/^https?:/i.test(value);
	return isFile ? '' : value;
}

/**
 * Checks the size of what is sent, in bytes of UTF-8 JSON. Pure.
 * @param what it is, as the error names it: `The message`.
 * @param fix says what to shorten. Whole sentences.
 * @throws InputError where it has more than 28 KB without embedded files.
 */
export function checkMessageSize(body: object, what: string, fix: string): void {
	const bytes = Buffer.byteLength(JSON.stringify(body, withoutFiles), 'utf8');
	if (bytes <= MAX_BYTES) return;
	throw new InputError(
		`${what} is larger than ${MAX_BYTES / 1024} KB with all that goes along`,
		`It has ${bytes.toLocaleString('en-US')} bytes. ${fix}`,
	);
}
