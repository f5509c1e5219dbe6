/**
 * What became of what was to be said, where there is an error. `notSent`: it surely did not arrive, so it may be sent
 * again. `uncertain`: it may have arrived, so a person has to look first.
 */
export type Outcome = 'notSent' | 'uncertain';

/** Whether another try is of use: never, twice at the most as it hardly ever heals, or as long as there is time. */
export type Retry = 'never' | 'limited' | 'yes';

/** A mistake by its name, and how to mend it. */
export interface Explanation {
	message: string;
	fix: string;
}

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

/** What an error of a service says. */
interface ServiceErrorDetails {
	message: string;
	/** How to mend it. */
	description: string;
	/** HTTP status; null where there was no answer. */
	httpCode?: number | null;
	/** The service's own code, e.g. `30011`, or Entra's, e.g. `AADSTS7000215`; a transport's such as `ENOTFOUND`. */
	code?: string | null;
	/** What the service's support asks for. */
	correlationId?: string | null;
	outcome?: Outcome;
	/** When the try began that this is about; epoch milliseconds, undefined where nothing was tried. */
	triedAt?: number;
	/** The service's clock when it answered, epoch milliseconds; null where it did not show it. */
	date?: number | null;
	/** The conversation that it is about, where that is not known otherwise. */
	conversationId?: string | null;
	/** Whether another try is of use. Whether it is safe follows from `outcome`. */
	retry?: Retry;
	/** Whether the service asks to be left alone, which holds for every call of the run. */
	isThrottled?: boolean;
	/** For how long, milliseconds; undefined where it does not say. */
	retryAfterMs?: number;
}

/** The token authority or the service did not do what was asked. */
export class ServiceError extends Error {
	readonly description: string;
	readonly httpCode: number | null;
	readonly code: string | null;
	readonly correlationId: string | null;
	readonly outcome: Outcome;
	readonly triedAt: number | undefined;
	readonly date: number | null;
	readonly conversationId: string | null;
	readonly retry: Retry;
	readonly isThrottled: boolean;
	readonly retryAfterMs: number | undefined;

	constructor(details: ServiceErrorDetails) {
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
		this.retry = details.retry ?? 'never';
		this.isThrottled = details.isThrottled ?? false;
		this.retryAfterMs = details.retryAfterMs;
	}

	/** The same error with other words, another outcome or time. */
	with(changes: Partial<ServiceErrorDetails>): ServiceError {
		// An error's message is not among what is spread.
		return new ServiceError({ ...this, message: this.message, ...changes });
	}
}

/** What n8n shows of an execution that was stopped before a request went out. */
export function cancelled(): ServiceError {
	return new ServiceError({
		message: 'The execution was cancelled before this was sent',
		description: 'Send only what was not sent.',
		code: 'ABORT_ERR',
	});
}

/** The words for a proxy that wants a password. */
export const PROXY_PASSWORD: Explanation = {
	message: 'The proxy between n8n and the service wants a password',
	fix: 'Put it into HTTPS_PROXY of n8n: http://user:password@proxy:port.',
};
