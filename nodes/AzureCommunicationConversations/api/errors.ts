import { MICROSOFT } from '../../shared/entra/microsoft';
import { isRecord, nonEmptyText, parseJson, readKey, type Json } from '../../shared/json';
import type { Explanation, ServiceError } from '../../shared/transport/errors';
import { cut } from '../../shared/text';
import type { HttpsResponse } from '../../shared/transport/https';
import type { Verification } from '../../shared/transport/request';
import { explainResponse, readHeader } from '../../shared/transport/responseErrors';
import { ENDPOINT, type Authentication } from './connection';

const CHECK_LIST = 'Choose the template from the list. Template: Get Many shows all of them.';

/**
 * Explanations by the words of an error, and by WhatsApp's error numbers in them.
 * Source: docs/service-facts.md#acs-whatsapp-rules.
 */
const BY_WORDS: ReadonlyArray<Explanation & { pattern: RegExp }> = [
	{
		pattern: /#131047|re-?engagement|(outside|more than|last).{0,60}24[- ]hours?\b/i,
		message: 'The customer’s last message is older than 24 hours: WhatsApp delivers only templates now',
		fix: 'Send a template (Kind: Template), or wait until the customer writes again.',
	},
	{
		pattern: /#132001|template name does not exist|template.{0,40}(does not exist|not found)/i,
		message: 'There is no approved template of this name and language',
		fix: `The language must be exactly that of the template, such as en_US. A template that is pending or rejected cannot be sent. ${CHECK_LIST}`,
	},
	{
		pattern: /#1320(00|12)|number of (localizable_)?param(eter)?s/i,
		message: 'The values do not fit the template',
		fix: 'Choose the template again, so that its placeholders are shown, and fill each. As JSON, give a value for each placeholder, and a binding for each value. Template: Get Many shows the content.',
	},
	{
		pattern: /#1320(07|15|16)|template.{0,20}(paused|disabled|rejected)/i,
		message: 'The template cannot be sent at present',
		fix: 'WhatsApp has paused, disabled or rejected it. Template: Get Many shows its status.',
	},
	{
		pattern: /#13105[123]|media.{0,30}(download|upload)|(download|fetch|unreachable).{0,30}media/i,
		message: 'The file could not be fetched from its URL, or is of a kind that is not delivered',
		fix: 'Its URL must be open to the internet without a login, and lead to the file itself. Open it in a private browser window.',
	},
	{
		pattern: /#131026|not a (valid )?whatsapp|undeliverable/i,
		message: 'WhatsApp cannot deliver to this customer',
		fix: 'Check the number with its country code, and that it is on WhatsApp.',
	},
];

const ROLE = 'a role on the resource (Access control), such as Contributor';

/** Explanations of a refusal, by the way of authentication. Source: docs/service-facts.md#acs-authentication. */
const REFUSED: Record<Authentication['kind'], Record<401 | 403, Explanation>> = {
	entra: {
		401: {
			message: 'The resource did not accept the app’s token',
			fix: 'Check that Endpoint is a resource of this tenant, and Scope. A new role takes some minutes to take effect.',
		},
		403: {
			message: 'The app is not allowed to do this',
			fix: `Give the app ${ROLE}. It takes some minutes to take effect.`,
		},
	},
	accessKey: {
		401: {
			message: 'The resource did not accept the access key',
			fix: 'Check that the key belongs to Endpoint and was not regenerated (Azure portal, Keys), and that the clock of this machine is right: a signature is valid for a few minutes. Microsoft’s documents contradict each other on whether an access key may be used for conversations. If the error stays, use an Entra app.',
		},
		403: {
			message: 'An access key is not allowed to do this',
			fix: `Microsoft’s documents contradict each other on whether an access key may be used for conversations. In the credential, use an Entra app with ${ROLE}.`,
		},
	},
	userToken: {
		401: {
			message: 'The resource did not accept the user access token',
			fix: 'A token is valid for 24 hours at the most. Issue a new one, and check that it belongs to the resource in Endpoint.',
		},
		403: {
			message: 'The user of the access token is not allowed to do this',
			fix: 'The user must be a participant of the conversation. Operations that are not about one conversation may need an Entra app.',
		},
	},
};

const BY_STATUS: Record<number, Explanation> = {
	404: {
		message: 'The resource does not know this conversation or channel',
		fix: 'Check the IDs, and Endpoint in the credential: they must belong to the same resource. It may also have been deleted.',
	},
	409: {
		message: 'The state of the conversation does not allow this',
		fix: 'It was probably terminated, and nothing more can be sent. Conversation: Create starts a new one.',
	},
	429: {
		message: 'Azure Communication Services is receiving too many requests',
		fix: 'Wait, and send fewer at a time. Requests that come too early count as well.',
	},
};

const REJECTED: Explanation = {
	message: 'The service refused this repeated request',
	fix: 'Nothing was done. Run the node again to make a new request.',
};

/** Lists an error and those within it, the inner ones first, as they say more. Source: docs/service-facts.md#acs-errors. */
function chainOf(error: Json | undefined, depth = 0): Json[] {
	if (!isRecord(error) || depth > 5) return [];
	const details = readKey(error, 'details');
	const within = [readKey(error, 'innererror'), ...(Array.isArray(details) ? details : [])];
	return [...within.flatMap((one) => chainOf(one, depth + 1)), error];
}

/** The most characters of one message, so that a long one leaves room for the others. */
const MAX_LENGTH = 200;

/** Makes a short sentence of a message, with a full stop. */
function sentenceOf(message: string): string {
	const text = cut(message.trim(), MAX_LENGTH);
	return /[.!?…]$/.test(text) ? text : `${text}.`;
}

/** Joins the messages of an error and those within it: often only the innermost names the cause. */
function wordsOf(error: Json | undefined, errorCode: string | null): string | null {
	const messages = chainOf(error).map((one) => nonEmptyText(readKey(one, 'message')));
	const words = new Set(messages.filter((message) => message !== null).map(sentenceOf));
	const target = nonEmptyText(readKey(error, 'target'));
	if (words.size === 0 && target !== null) words.add(`Target: ${target}.`);
	if (errorCode !== null) words.add(`x-ms-error-code: ${errorCode}.`);
	return [...words].join(' ') || null;
}

function explanationOf(
	{ status, headers }: HttpsResponse,
	words: string | null,
	kind: Authentication['kind'],
): Explanation | undefined {
	if (status === 401 || status === 403) return REFUSED[kind][status];
	if (readHeader(headers, 'repeatability-result') === 'rejected') return REJECTED;
	// The words of a service that is throttled or broken are not about the message.
	const isAboutMessage = status < 500 && status !== 429;
	return BY_WORDS.find(({ pattern }) => isAboutMessage && pattern.test(words ?? '')) ?? BY_STATUS[status];
}

/**
 * Makes the function that turns an answer that is no success into an error that says how to fix it. Pure.
 * Source: docs/service-facts.md#acs-errors.
 * @param kind of authentication, as a refusal has different causes.
 */
export function explainCommunicationError(
	kind: Authentication['kind'],
): (response: HttpsResponse, verification?: Verification) => ServiceError {
	return (response, verification) => {
		const error = readKey(parseJson(response.body), 'error');
		const code = nonEmptyText(readKey(error, 'code'));
		const errorCode = readHeader(response.headers, 'x-ms-error-code');
		const words = wordsOf(error, errorCode === code ? null : errorCode);
		const source = {
			...MICROSOFT,
			name: 'Azure Communication Services',
			code: code ?? errorCode,
			explanation: explanationOf(response, words, kind),
			fields: ENDPOINT,
			correlationHeaders: ['ms-cv', ...MICROSOFT.correlationHeaders],
			words,
		};
		return explainResponse(response, source, verification);
	};
}
