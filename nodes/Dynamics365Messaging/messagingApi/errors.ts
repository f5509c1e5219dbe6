import { parseJson } from '../../shared/json';
import { ServiceError, type Explanation } from '../../shared/transport/errors';
import type { HttpsResponse } from '../../shared/transport/https';
import type { Verification } from '../../shared/transport/request';
import { explainResponse, IS_HTML } from '../../shared/transport/responseErrors';
import { MICROSOFT } from '../../shared/entra/microsoft';

/** The credential's fields that lead to the Messaging API. */
export const FIELDS_OF_HOST = 'Organization ID, Geo and Base URL';

/** The body code for a conversation that is unknown or closed. Source: docs/service-facts.md#error-codes. */
const CONVERSATION_GONE = '30013';
const GONE = 'The conversation does not exist or is closed already';

/** The service's body codes. Source: docs/service-facts.md#error-codes. */
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
		fix: 'Use the conversationId from Conversation: Create or from the trigger.',
	},
	'30006': {
		message: 'The start time is not accepted',
		fix: 'Give a date and time such as 2026-01-31T09:00:00Z.',
	},
	'30007': { message: 'The page size must be 1 to 250', fix: 'Lower Limit.' },
	'30008': { message: 'The page size must be 1 to 100', fix: 'Lower Limit.' },
	'30009': {
		message: 'The service did not accept its own page token',
		fix: 'Run the node again: it reads the list from the start.',
	},
	'30010': { message: 'There are more than 100 context variables', fix: 'Send at most 100.' },
	'30011': {
		message: 'The text is longer than 6,000 characters',
		fix: 'Shorten it or send it as several messages.',
	},
	'30012': { message: 'The service could not read the request', fix: 'Check the fields of this node.' },
	[CONVERSATION_GONE]: {
		message: GONE,
		fix: 'It may have been closed in the meantime. Conversation: Send or Start opens a new one by itself if you know the customer’s ID.',
	},
	'30014': {
		message: 'The channel is not linked to a workstream',
		fix: 'Add the channel to a messaging workstream: in the admin center as a custom (Messaging API) channel, or with the field Workstream of Channel: Update. Changes take up to 15 minutes.',
	},
	'30015': {
		message: 'The service could not write its answer',
		fix: 'Try again. If it happens again, contact Microsoft with the correlation ID.',
	},
	'30016': { message: 'The message has neither text nor attachments', fix: 'Give at least one of the two.' },
};

const BY_STATUS: Record<number, Explanation> = {
	413: { message: 'What was sent is too large for the service', fix: 'Send smaller or fewer attachments.' },
	401: {
		message: 'The service did not accept the token for this channel and organization',
		fix: 'Check that the channel record names this tenant and Client ID, that Organization ID and Channel ID belong together, and wait 15 minutes after a change.',
	},
	403: {
		message: 'The service refused access',
		fix: 'Check that the channel record names this tenant and Client ID.',
	},
	404: {
		message: GONE,
		fix: 'Check the Conversation ID. It may have been closed in between: Conversation: Send or Start opens a new one by itself if you know the customer’s ID.',
	},
};

/**
 * A conversation that cannot be read, as it is closed or unknown: opening another one would not help whoever reads.
 * Source: docs/service-facts.md#conversation-states.
 */
const UNREADABLE: Explanation = {
	message: GONE,
	fix: 'Check the Conversation ID. Messages and context can be read only while a conversation is active. For a closed one use Conversation: Get Transcript.',
};

/** A code of the service, 30001 to 30016, as a value of its own. */
const CODE = /^300(?:0[1-9]|1[0-6])$/;
/** The same where a text begins with it or names it as a code: any other number in a text, such as an ID, is none. */
const CODE_IN_TEXT =
	/(?:^\W{0,4}(300(?:0[1-9]|1[0-6]))(?=$|\s*[:.)\]-]|\s+[a-z])|(?:\berror|code)(?:\s+is\b)?\W{0,4}(300(?:0[1-9]|1[0-6]))\b)/i;
/** Keys under which it may stand, as the right one is not documented: in those of RFC 7807, and in those of other answers. */
const CODE_KEY = /^(?:sub|error|service|result|inner|message)?_?code$/i;
const TEXT_KEY = /^(type|title|details?|messages?|errors?|(error_?)?description|reason)$/i;
const MAX_DEPTH = 5;
/** As much of a value as is looked at. */
const MAX_LENGTH = 1_000;

/** A value of the body that may be or name a code. */
interface CodePlace {
	value: string;
	isCodeKey: boolean;
}

/** Lists where a code may stand. What another key holds, such as an ID or a duration, is none. */
function codePlaces(value: unknown, key = 'code', isInErrors = false, depth = 0): CodePlace[] {
	if (depth > MAX_DEPTH) return [];
	if (Array.isArray(value)) return value.flatMap((one) => codePlaces(one, key, isInErrors, depth + 1));
	if (typeof value === 'object' && value !== null) {
		const isErrors = isInErrors || /^errors$/i.test(key);
		return Object.entries(value).flatMap(([name, one]) => codePlaces(one, name, isErrors, depth + 1));
	}
	const isCodeKey = CODE_KEY.test(key);
	const isText = typeof value === 'string' && (isInErrors || TEXT_KEY.test(key));
	if (!isText && !isCodeKey) return [];
	const text = String(value).slice(0, MAX_LENGTH).trim();
	// The type of an RFC 7807 answer is a URI.
	const last = text.split(/[/#:]/).findLast((part) => part !== '') ?? '';
	return [{ value: /^type$/i.test(key) ? last : text, isCodeKey }];
}

/** Finds the code in the body. A value under a key for codes wins over another value, and both over one in a text. */
function findCode(body: unknown): string | null {
	const places = codePlaces(body);
	const whole = places.filter(({ value }) => CODE.test(value));
	const own = whole.find(({ isCodeKey }) => isCodeKey) ?? whole[0];
	const inText = places.map(({ value }) => CODE_IN_TEXT.exec(value)).find((found) => found !== null);
	return own?.value ?? inText?.[1] ?? inText?.[2] ?? null;
}

/** Whether an answer means that a conversation is closed or unknown. */
function meansGone(status: number | null, code: string | null): boolean {
	return status === 404 && (code === null || code === CONVERSATION_GONE);
}

/**
 * Turns an error answer of the Messaging API into an error that says how to fix it. Pure.
 * Source: docs/service-facts.md#error-answers.
 * @param verification of the request; undefined for one that only reads.
 */
export function explainMessagingError(response: HttpsResponse, verification?: Verification): ServiceError {
	const code = IS_HTML.test(response.body) ? null : findCode(parseJson(response.body) ?? response.body);
	const isUnreadable = verification === undefined && meansGone(response.status, code);
	const byAnswer = (code === null ? undefined : BY_CODE[code]) ?? BY_STATUS[response.status];
	const explanation = isUnreadable ? UNREADABLE : byAnswer;
	const source = { ...MICROSOFT, name: 'The service', code, explanation, fields: FIELDS_OF_HOST };
	return explainResponse(response, source, verification);
}

/** Whether an error is the service's answer that a conversation is closed or unknown. */
export function isConversationGone(error: unknown): boolean {
	return error instanceof ServiceError && meansGone(error.httpCode, error.code);
}
