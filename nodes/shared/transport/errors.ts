import type { IncomingHttpHeaders } from 'node:http';
import type { HttpsResponse } from './https';
import { nonEmptyText, parseJson, readKey } from '../json';

/**
 * What became of what was to be said, where there is an error. `notSent`: it surely did not arrive, so it may be sent
 * again. `uncertain`: it may have arrived, so a person has to look first.
 */
export type Outcome = 'notSent' | 'uncertain';

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
	readonly outcome: Outcome;
	/** When the try began that this is about; epoch milliseconds, undefined where nothing was tried. */
	readonly triedAt: number | undefined;
	/** The service's clock when it answered, epoch milliseconds; null where it did not show it. */
	readonly date: number | null;
	/** The conversation that it is about, where that is not known otherwise. */
	readonly conversationId: string | null;

	constructor(details: {
		message: string;
		description: string;
		httpCode?: number | null;
		code?: string | null;
		correlationId?: string | null;
		outcome?: Outcome;
		triedAt?: number;
		date?: number | null;
		conversationId?: string | null;
	}) {
		super(details.message);
		this.name = 'ServiceError';
		this.description = details.description;
		this.httpCode = details.httpCode ?? null;
		this.code = details.code ?? null;
		this.correlationId = details.correlationId ?? null;
		this.outcome = details.outcome ?? 'notSent';
		this.triedAt = details.triedAt;
		this.date = details.date ?? null;
		this.conversationId = details.conversationId ?? null;
	}

	/** The same error with other words, another outcome or time. */
	with(changes: Partial<ConstructorParameters<typeof ServiceError>[0]>): ServiceError {
		// An error's message is not among what is spread.
		return new ServiceError({ ...this, message: this.message, ...changes });
	}
}

/** A mistake by its name, and how to mend it. */
export interface Explanation {
	message: string;
	fix: string;
}

/** The words for a proxy that wants a password. */
export const PROXY_PASSWORD: Explanation = {
	message: 'The proxy between n8n and the service wants a password',
	fix: 'Put it into HTTPS_PROXY of n8n: http://user:password@proxy:port.',
};

/** What holds for every service that has nothing of its own to say. */
const BY_STATUS: Record<number, Explanation> = {
	400: { message: 'The service did not accept the request', fix: 'Check the fields of this node.' },
	429: {
		message: 'The service is receiving too many requests',
		fix: 'Wait and try again, or send fewer at a time.',
	},
	407: PROXY_PASSWORD,
	413: { message: 'What was sent is too large for the service', fix: 'Send less at a time.' },
	500: { message: 'The service failed', fix: 'If it stays, contact Microsoft with the correlation ID.' },
	502: { message: 'The service could not be reached by its gateway', fix: 'Try again in a while.' },
	503: { message: 'The service is not available', fix: 'Try again in a while.' },
	504: { message: 'The service did not answer its gateway in time', fix: 'Try again in a while.' },
};

/** All texts and numbers of a JSON value, the outer ones first. */
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
 * The service's own words: RFC 7807's detail, or what comes nearest; of a page its title.
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

export function header(headers: IncomingHttpHeaders, name: string): string | null {
	const value = headers[name];
	return (Array.isArray(value) ? value[0] : value) ?? null;
}

/**
 * Whether what was sent may have arrived, by the answer's status. 429, and 503 with Retry-After, are answered before a
 * request is looked at. Source: docs/service-facts.md#rate-limits.
 */
function outcomeOf({ status, headers }: HttpsResponse): Outcome {
	if (status === 503 && headers['retry-after'] !== undefined) return 'notSent';
	return status === 408 || status >= 500 ? 'uncertain' : 'notSent';
}

/** What a person needs to know of a call that does something, to find out whether it did. */
export interface Verification {
	/** How to find out. Whole sentences. */
	howToVerify: string;
	/** Whether it was sent again, as doing it twice is the same as doing it once. */
	isIdempotent: boolean;
}

/** The words for an exchange whose end leaves open whether what was sent arrived. */
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

/** Who answered, and what their codes mean. */
interface Answerer {
	/** At the beginning of a sentence: `The service`. */
	name: string;
	code: string | null;
	/** The words for the code or the status, where there are any. */
	explanation: Explanation | undefined;
	/** The fields of the credential that lead to it. */
	fields: string;
	/** What it says in its own words, where that is not where services usually put it. */
	words?: string | null;
	/** What its support asks for, where that is in a header of its own. */
	correlationId?: string | null;
}

function explanationOf(response: HttpsResponse, { name, explanation, fields }: Answerer): Explanation {
	const { status } = response;
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
	return (
		explanation ??
		BY_STATUS[status] ?? {
			message: `${name} answered with HTTP status ${status}`,
			fix: 'Try again; if it stays, contact Microsoft with the correlation ID.',
		}
	);
}

/**
 * Explains an answer that is no success. Pure.
 * @param looking how a person finds out whether what was sent arrived; undefined where nothing was sent that could.
 */
export function explainResponse(response: HttpsResponse, by: Answerer, looking?: Verification): ServiceError {
	const { message, fix } = explanationOf(response, by);
	const outcome = looking === undefined ? 'notSent' : outcomeOf(response);
	const words =
		looking && outcome === 'uncertain' ? uncertain(message, looking) : { message, description: fix };
	const { headers } = response;
	return new ServiceError({
		message: words.message,
		description: [words.description, quoted(by.words) ?? ownWords(response.body)]
			.filter((text) => text !== null)
			.join(' '),
		httpCode: response.status,
		code: isForeignPage(response) ? FOREIGN_PAGE : by.code,
		correlationId:
			by.correlationId ??
			header(headers, 'x-ms-correlation-id') ??
			header(headers, 'x-ms-service-request-id'),
		outcome,
		date: Date.parse(headers.date ?? '') || null,
	});
}
