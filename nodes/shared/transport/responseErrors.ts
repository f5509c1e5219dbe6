import type { IncomingHttpHeaders } from 'node:http';
import { nonEmptyText, parseJson, readKey } from '../json';
import { parseRetryAfter } from './backoff';
import { PROXY_PASSWORD, ServiceError, type Explanation, type Outcome } from './errors';
import type { HttpsResponse } from './https';
import type { Verification } from './request';

/** The service that answered, and what its codes mean. */
export interface ResponseSource {
	/** At the beginning of a sentence: `The service`. */
	name: string;
	code: string | null;
	/** The words for the code or the status, where there are any. */
	explanation: Explanation | undefined;
	/** The fields of the credential that lead to it. */
	fields: string;
	/** Who runs it, for what only they can mend: `Microsoft`. */
	support: string;
	/** The headers that hold what its support asks for, the best first. */
	correlationHeaders: readonly string[];
	/** What it says in its own words, where that is not where services usually put it. */
	words?: string | null;
}

/** What holds for every service that has nothing of its own to say. */
const BY_STATUS: Record<number, Explanation> = {
	400: { message: 'The service did not accept the request', fix: 'Check the fields of this node.' },
	407: PROXY_PASSWORD,
	413: { message: 'What was sent is too large for the service', fix: 'Send less at a time.' },
	429: {
		message: 'The service is receiving too many requests',
		fix: 'Wait and try again, or send fewer at a time.',
	},
	502: { message: 'The service could not be reached by its gateway', fix: 'Try again in a while.' },
	503: { message: 'The service is not available', fix: 'Try again in a while.' },
	504: { message: 'The service did not answer its gateway in time', fix: 'Try again in a while.' },
};

function explanationFor(status: number, { name, support }: ResponseSource): Explanation {
	const contact = `contact ${support} with the correlation ID.`;
	if (status === 500) return { message: 'The service failed', fix: `If it stays, ${contact}` };
	const message = `${name} answered with HTTP status ${status}`;
	return BY_STATUS[status] ?? { message, fix: `Try again; if it stays, ${contact}` };
}

/**
 * All texts and numbers within a JSON value, the outer ones before the inner ones. Pure.
 * @param depth how deep it stands; what is more than four levels down is not looked at.
 */
export function scalarsIn(value: unknown, depth = 0): Array<string | number> {
	if (typeof value === 'string' || typeof value === 'number') return [value];
	if (typeof value !== 'object' || value === null || depth > 4) return [];
	const inner: unknown[] = Object.values(value);
	const isOuter = (one: unknown) => typeof one !== 'object';
	const ordered = [...inner.filter(isOuter), ...inner.filter((one) => !isOuter(one))];
	return ordered.flatMap((one) => scalarsIn(one, depth + 1));
}

/** Whether a body is a page, which no service answers with. */
export const IS_HTML = /^\s*</;

/** The title of a page that something in between answered with. */
function titleOf(html: string): string | null {
	return nonEmptyText(/<title[^>]*>([^<]*)/i.exec(html)?.[1]);
}

/**
 * What the service says in its own words, or what comes nearest to it; of a page its title.
 * Source: docs/service-facts.md#problem-details.
 */
function ownWords(body: string): string | null {
	if (IS_HTML.test(body)) {
		const title = titleOf(body);
		return `The answer is a page, so it came from a proxy or gateway in between${title === null ? '.' : `: ${tidy(title)}`}`;
	}
	const json = parseJson(body);
	const words = [
		readKey(json, 'detail'),
		// Which field of the body is wrong, as ASP.NET's problems say it.
		scalarsIn(readKey(json, 'errors')).join(' '),
		readKey(json, 'message'),
		readKey(readKey(json, 'error'), 'message'),
		readKey(json, 'title'),
		json,
		json === undefined ? body : null,
	]
		.map(nonEmptyText)
		.find((text) => text !== null);
	return quoted(words);
}

function quoted(words: string | null | undefined): string | null {
	return words === undefined || words === null ? null : `The service said: ${tidy(words)}`;
}

/** What stands for a token in words that are passed on. */
const TOKEN = /\beyJ[\w-]+(\.[\w-]*){0,2}/g;

/** Somebody else's words, fit to be shown: on one line, not endless, and without a token that they may repeat. */
function tidy(words: string): string {
	return words.trim().replace(TOKEN, '[token]').replace(/\s+/g, ' ').slice(0, 500);
}

/**
 * One header of an answer; the first value where it came several times.
 * @param name in lower case.
 * @returns null where there is none.
 */
export function headerOf(headers: IncomingHttpHeaders, name: string): string | null {
	const value = headers[name];
	return (Array.isArray(value) ? value[0] : value) ?? null;
}

/**
 * Whether what was sent may have arrived, by the answer's status. 429, and 503 with Retry-After, are answered before a
 * request is looked at. Source: docs/service-facts.md#error-answers.
 */
function outcomeOf({ status, headers }: HttpsResponse): Outcome {
	if (status === 503 && headers['retry-after'] !== undefined) return 'notSent';
	return status === 408 || status >= 500 ? 'uncertain' : 'notSent';
}

/** The words for a call whose end leaves open whether what was sent arrived. */
export function uncertain(
	what: string,
	{ howToVerify, isIdempotent }: Verification,
): { message: string; description: string } {
	const then = isIdempotent
		? 'it may have taken effect'
		: 'what was sent may have arrived, so it was not sent again';
	return { message: `${what}: ${then}`, description: howToVerify };
}

/** A page of something in between is not the service's word; what it says of being busy holds all the same. */
const FOREIGN_PAGE = 'PAGE';

function isForeignPage({ status, body }: HttpsResponse): boolean {
	return IS_HTML.test(body) && status >= 400 && status < 500 && status !== 429 && status !== 407;
}

function explanationOf(response: HttpsResponse, source: ResponseSource): Explanation {
	const { status } = response;
	const { name, explanation, fields } = source;
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
	return explanation ?? explanationFor(status, source);
}

/** Whether another try is of use after an answer, and whether the service asks to be left alone. */
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
 * Explains an answer that is no success. Pure.
 * @param verification how to find out whether what was sent arrived; undefined where nothing was sent that could.
 */
export function explainResponse(
	response: HttpsResponse,
	source: ResponseSource,
	verification?: Verification,
): ServiceError {
	const { message, fix } = explanationOf(response, source);
	const outcome = verification === undefined ? 'notSent' : outcomeOf(response);
	const words =
		verification && outcome === 'uncertain'
			? uncertain(message, verification)
			: { message, description: fix };
	const { headers } = response;
	const correlationIds = source.correlationHeaders.map((name) => headerOf(headers, name));
	return new ServiceError({
		message: words.message,
		description: [words.description, quoted(source.words) ?? ownWords(response.body)]
			.filter((text) => text !== null)
			.join(' '),
		httpCode: response.status,
		code: isForeignPage(response) ? FOREIGN_PAGE : source.code,
		correlationId: correlationIds.find((id) => id !== null) ?? null,
		outcome,
		date: Date.parse(headers.date ?? '') || null,
		...retryAdvice(response),
	});
}
