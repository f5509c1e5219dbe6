import type { IncomingHttpHeaders } from 'node:http';
import { nonEmptyText, parseJson, readKey } from '../json';
import { cut } from '../text';
import { parseRetryAfter } from './backoff';
import { proxyPassword, ServiceError, type Explanation, type Outcome } from './errors';
import type { HttpsResponse } from './https';
import type { Verification } from './request';

/** What an error needs to know of the service that answered. */
interface ResponseSource {
	/** At the start of a sentence: `The service`. */
	name: string;
	/** The service's own code in this answer. */
	code: string | null;
	/** The service's own explanation of this answer; undefined for that of the HTTP status. */
	explanation: Explanation | undefined;
	/** The credential's fields that lead to the service. */
	fields: string;
	/** Who runs the service: `Microsoft`. */
	support: string;
	/** The headers for the correlation ID, the best first. */
	correlationHeaders: readonly string[];
	/** The service's own message, where {@link ownWords} would not find it. */
	words?: string | null;
}

/** The explanations for services that have none of their own. */
const BY_STATUS: Record<number, Explanation> = {
	400: { message: 'The service did not accept the request', fix: 'Check the fields of this node.' },
	413: { message: 'What was sent is too large for the service', fix: 'Send less at a time.' },
	429: {
		message: 'The service is receiving too many requests',
		fix: 'Wait and try again, or send fewer at a time.',
	},
	502: { message: 'The service could not be reached by its gateway', fix: 'Try again in a while.' },
	503: { message: 'The service is not available', fix: 'Try again in a while.' },
	504: { message: 'The service did not answer its gateway in time', fix: 'Try again in a while.' },
};

/**
 * Returns all texts and numbers within a JSON value, the outer ones before the inner ones. Pure.
 * @param depth of the value in the whole; objects below the fourth level are not read.
 */
function scalarsIn(value: unknown, depth = 0): Array<string | number> {
	if (typeof value === 'string' || typeof value === 'number') return [value];
	if (typeof value !== 'object' || value === null || depth > 4) return [];
	const inner: unknown[] = Object.values(value);
	const isOuter = (one: unknown) => typeof one !== 'object';
	const ordered = [...inner.filter(isOuter), ...inner.filter((one) => !isOuter(one))];
	return ordered.flatMap((one) => scalarsIn(one, depth + 1));
}

/** As much of a page as is looked at: its title is at its beginning, and a search through a long one would take seconds. */
const HEAD_LENGTH = 4_000;

/** Matches a body of HTML. The services answer with JSON, so it comes from a proxy or gateway. */
export const IS_HTML = /^\s*</;

/**
 * Finds the service's own message in a body, or else the most telling text; in HTML the title.
 * Source: docs/service-facts.md#problem-details.
 */
function ownWords(body: string): string | null {
	if (IS_HTML.test(body)) {
		const title = nonEmptyText(/<title[^>]*>([^<]*)/i.exec(body.slice(0, HEAD_LENGTH))?.[1]);
		return `The answer is a page, so it came from a proxy or gateway in between${title === null ? '.' : `: ${tidy(title)}`}`;
	}
	const json = parseJson(body);
	const words = [
		readKey(json, 'detail'),
		// ASP.NET names the wrong fields of the body here.
		scalarsIn(readKey(json, 'errors')).join(' '),
		readKey(json, 'message'),
		readKey(readKey(json, 'error'), 'message'),
		readKey(json, 'title'),
		json,
		json === undefined ? body : null,
	]
		.map(nonEmptyText)
		.find((text) => text !== null);
	return words === undefined ? null : quoted(words);
}

function quoted(words: string): string {
	return `The service said: ${tidy(words)}`;
}

/** What a message may repeat of a credential: a token, also as it stands in a URL, and what signs a request or a URL. */
const SECRETS: ReadonlyArray<readonly [RegExp, string]> = [
	[/eyJ[\w-]{4,}(?:(?:\.|%(?:25)*2e)[\w-]*){0,2}/gi, '[token]'],
	[
		/((?:(?<![a-z0-9])|(?<=%[0-9a-f]{2}))sig(?:nature)?["']?\s*(?:[=:]|%(?:25)*3[ad])\s*["']?)[\w+/=%~.-]+/gi,
		'$1[signature]',
	],
	[/((?:client_secret|accesskey)["']?\s*(?:[=:]|%(?:25)*3[ad])\s*["']?)[\w+/=%~.-]+/gi, '$1[secret]'],
];

/** Replaces what a service repeats of a credential. Pure. */
function withoutSecrets(text: string): string {
	return SECRETS.reduce((cleaned, [pattern, instead]) => cleaned.replace(pattern, instead), text);
}

/** Makes a message fit to be shown: one line, at most 500 characters, and nothing of a credential. */
function tidy(words: string): string {
	return cut(withoutSecrets(words.trim().slice(0, HEAD_LENGTH)).replace(/\s+/g, ' '), 500);
}

/**
 * Reads a header of an answer; the first value where there are several.
 * @param name in lower case.
 * @returns null where there is none.
 */
export function readHeader(headers: IncomingHttpHeaders, name: string): string | null {
	const value = headers[name];
	return (Array.isArray(value) ? value[0] : value) ?? null;
}

/**
 * Whether the request had an effect, by the answer's status. A service answers 429, and 503 with Retry-After, before it
 * processes a request. Source: docs/service-facts.md#error-answers.
 */
function outcomeOf({ status, headers }: HttpsResponse): Outcome {
	if (status === 503 && headers['retry-after'] !== undefined) return 'notSent';
	// A redirect is a usual answer to what was carried out, too.
	const isRedirect = status >= 300 && status < 400;
	return isRedirect || status === 408 || status >= 500 ? 'uncertain' : 'notSent';
}

/** Words the error of a request that may have arrived. */
export function uncertain(
	message: string,
	{ howToVerify, isIdempotent }: Verification,
): { message: string; description: string } {
	const then = isIdempotent
		? 'it may have taken effect'
		: 'what was sent may have arrived, so it was not sent again';
	return { message: `${message}: ${then}`, description: howToVerify };
}

/** The code of an answer in HTML from a proxy or gateway. Its 429 and 5xx count like those of the service. */
export const FOREIGN_PAGE = 'PAGE';

function isForeignPage({ status, body }: HttpsResponse): boolean {
	return IS_HTML.test(body) && status >= 400 && status < 500 && status !== 429 && status !== 407;
}

function explanationOf(response: HttpsResponse, source: ResponseSource): Explanation {
	const { status } = response;
	const { name, explanation, fields, support } = source;
	if (isForeignPage(response)) {
		return {
			message: `A proxy or gateway in between answered with HTTP status ${status}`,
			fix: `Check ${fields} in the credential, and the proxy between n8n and the service.`,
		};
	}
	if (status >= 300 && status < 400) {
		return {
			message: `${name} answered with a redirect, which is not followed`,
			fix: `Check ${fields} in the credential: tokens go to the service itself only.`,
		};
	}
	const known = explanation ?? (status === 407 ? proxyPassword(response.proxyVariable) : BY_STATUS[status]);
	if (known) return known;
	const contact = `contact ${support} with the correlation ID.`;
	if (status === 500) return { message: 'The service failed', fix: `If it stays, ${contact}` };
	return {
		message: `${name} answered with HTTP status ${status}`,
		fix: `Try again; if it stays, ${contact}`,
	};
}

/** Says whether another try is of use after an answer, and whether the service asks for a pause. */
export function retryAdvice({
	status,
	headers,
}: Pick<HttpsResponse, 'status' | 'headers'>): Pick<ServiceError, 'retry' | 'isThrottled' | 'retryAfterMs'> {
	return {
		retry: status === 429 || status === 408 || status >= 500 ? 'yes' : 'never',
		isThrottled: status === 429 || status === 503,
		retryAfterMs: parseRetryAfter(headers['retry-after'], headers.date),
	};
}

/**
 * Turns an answer that is no success into an error that says how to fix it. Pure.
 * @param verification of the request; undefined for one that only reads.
 */
export function explainResponse(
	response: HttpsResponse,
	source: ResponseSource,
	verification?: Verification,
): ServiceError {
	const { message, fix } = explanationOf(response, source);
	const outcome = verification === undefined ? 'notSent' : outcomeOf(response);
	const isUncertain = verification && outcome === 'uncertain';
	const words = isUncertain ? uncertain(message, verification) : { message, description: fix };
	const said = source.words ? quoted(source.words) : ownWords(response.body);
	const { headers } = response;
	const correlationIds = source.correlationHeaders.map((name) => readHeader(headers, name));
	return new ServiceError({
		message: words.message,
		description: said === null ? words.description : `${words.description} ${said}`,
		httpCode: response.status,
		code: isForeignPage(response) ? FOREIGN_PAGE : source.code && cut(withoutSecrets(source.code), 200),
		correlationId: correlationIds.find((id) => id !== null) ?? null,
		outcome,
		date: Date.parse(headers.date ?? '') || null,
		...retryAdvice(response),
	});
}
