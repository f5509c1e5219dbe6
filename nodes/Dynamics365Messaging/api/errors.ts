import type { IncomingHttpHeaders } from 'node:http';
import type { HttpsResponse } from './https';
import { isRecord, nonEmptyText, parseJson, readKey } from './json';

/** What a person typed cannot be used. Nothing was sent. */
export class InputError extends Error {
	constructor(
		message: string,
		/** How to mend it. */
		readonly description: string,
	) {
		super(message);
		this.name = 'InputError';
	}
}

/** The token authority or the service did not do what was asked. */
export class ServiceError extends Error {
	/** How to mend it. */
	readonly description: string;
	/** HTTP status; null where there was no answer. */
	readonly httpCode: number | null;
	/** The service's own code, e.g. `30011`, or Entra's, e.g. `AADSTS7000215`; a transport's such as `ENOTFOUND`. */
	readonly code: string | null;
	/** What Microsoft's support asks for. */
	readonly correlationId: string | null;

	constructor(details: {
		message: string;
		description: string;
		httpCode?: number | null;
		code?: string | null;
		correlationId?: string | null;
	}) {
		super(details.message);
		this.name = 'ServiceError';
		this.description = details.description;
		this.httpCode = details.httpCode ?? null;
		this.code = details.code ?? null;
		this.correlationId = details.correlationId ?? null;
	}
}

interface Explanation {
	message: string;
	fix: string;
}

/** The service's body codes. Source: shared reference, "Errors". */
const BY_CODE: Record<string, Explanation> = {
	'30001': {
		message: 'The organization ID is not accepted',
		fix: 'Check Organization ID in the credential.',
	},
	'30002': { message: 'The channel ID is not accepted', fix: 'Check Channel ID in the credential.' },
	'30003': {
		message: 'The service does not know this operation',
		fix: 'Check Create Path, or the name of the event.',
	},
	'30004': {
		message: 'The channel has no configuration in this organization',
		fix: 'Check Channel ID in the credential, and that the channel record exists. Changes take up to 15 minutes.',
	},
	'30005': {
		message: 'The conversation ID is not accepted',
		fix: 'Use the conversationId that creating the conversation gave.',
	},
	'30006': {
		message: 'The start time is not accepted',
		fix: 'Give a date and time such as 2026-01-31T09:00:00Z.',
	},
	'30007': { message: 'The page size must be 1 to 250', fix: 'Lower Limit.' },
	'30008': { message: 'The page size must be 1 to 100', fix: 'Lower Limit.' },
	'30009': {
		message: 'The service did not accept its own page token',
		fix: 'Run the node again: the list is read from the start.',
	},
	'30010': { message: 'There are more than 100 context variables', fix: 'Send at most 100.' },
	'30011': {
		message: 'The text is longer than 6,000 characters',
		fix: 'Shorten it or send it as several messages.',
	},
	'30012': { message: 'The service could not read the request', fix: 'Check the fields of this node.' },
	'30013': {
		message: 'The conversation does not exist or is closed already',
		fix: 'Create the conversation again: it may have been closed in between.',
	},
	'30014': {
		message: 'The channel is not linked to a workstream',
		fix: 'Add the channel to a messaging workstream in the admin center. Changes take up to 15 minutes.',
	},
	'30015': {
		message: 'The service could not write its answer',
		fix: 'Try again; if it stays, contact Microsoft with the correlation ID.',
	},
	'30016': { message: 'The message has neither text nor attachments', fix: 'Give at least one of the two.' },
};

const BY_STATUS: Record<number, Explanation> = {
	400: { message: 'The service did not accept the request', fix: 'Check the fields of this node.' },
	401: {
		message: 'The service did not accept the token for this channel and organization',
		fix: 'Check that the channel record names this tenant and Client ID, that Organization ID and Channel ID belong together, and wait 15 minutes after a change.',
	},
	403: {
		message: 'The service refused access',
		fix: 'Check that the channel record names this tenant and Client ID.',
	},
	404: {
		message: 'The conversation does not exist or is closed already',
		fix: 'Check the Conversation ID. A conversation that a representative closed cannot be written to: create it again.',
	},
	429: {
		message: 'The service is receiving too many requests',
		fix: 'Wait and try again, or send fewer at a time.',
	},
	500: { message: 'The service failed', fix: 'Check whether it took effect before you try again.' },
	503: { message: 'The service is not available', fix: 'Try again in a while.' },
};

/** The key of the code is not documented: any value that looks like one is taken, also one level down. */
function findCode(body: unknown, depth = 0): string | null {
	if (!isRecord(body)) return null;
	const values = Object.values(body);
	for (const value of values) {
		if ((typeof value === 'number' || typeof value === 'string') && /^30\d{3}$/.test(String(value)))
			return String(value);
	}
	for (const value of depth < 3 ? values.flat() : []) {
		const code = findCode(value, depth + 1);
		if (code !== null) return code;
	}
	return null;
}

/** What the service says in its own words: RFC 7807's detail, or what comes nearest to it; never a proxy's HTML. */
function ownWords(body: string): string | null {
	const json = parseJson(body);
	const words = [
		readKey(json, 'detail'),
		readKey(json, 'message'),
		readKey(readKey(json, 'error'), 'message'),
		readKey(json, 'title'),
		json,
		json === undefined && !/^\s*</.test(body) ? body : null,
	]
		.map(nonEmptyText)
		.find((text) => text !== null);
	return words?.trim().slice(0, 500) ?? null;
}

function header(headers: IncomingHttpHeaders, name: string): string | null {
	const value = headers[name];
	return (Array.isArray(value) ? value[0] : value) ?? null;
}

/**
 * Explains an answer of the service that is no success. Pure.
 * Source: shared reference, "Errors": every failure carries `x-ms-correlation-id`, most a code in the body.
 */
export function explainAnswer(response: HttpsResponse): ServiceError {
	const code = findCode(parseJson(response.body));
	const redirected = response.status >= 300 && response.status < 400;
	const explanation = (code === null ? undefined : BY_CODE[code]) ??
		(redirected
			? {
					message: 'The service answered with a redirect, which is not followed',
					fix: 'Check Geo, Organization ID and Base URL in the credential: tokens go to the service itself only.',
				}
			: BY_STATUS[response.status]) ?? {
			message: `The service answered with HTTP status ${response.status}`,
			fix: 'Try again; if it stays, contact Microsoft with the correlation ID.',
		};
	const words = ownWords(response.body);
	return new ServiceError({
		message: explanation.message,
		description: explanation.fix + (words === null ? '' : ` The service said: ${words}`),
		httpCode: response.status,
		code,
		correlationId: header(response.headers, 'x-ms-correlation-id'),
	});
}
