/**
 * Whether a request had an effect, where it ended in an error. `notSent`: it surely had none, so it may be sent again.
 * `uncertain`: it may have had one, so a person has to check first.
 */
export type Outcome = 'notSent' | 'uncertain';

/** Whether another try is of use: never, twice at the most as it rarely helps, or until the time is over. */
export type Retry = 'never' | 'limited' | 'yes';

/** What went wrong, and how to fix it. */
export interface Explanation {
	message: string;
	fix: string;
}

/** A value that a person entered cannot be used. Nothing was sent. */
export class InputError extends Error {
	constructor(
		message: string,
		/** How to fix it. */
		readonly description: string,
	) {
		super(message);
		this.name = 'InputError';
	}
}

/** The details of a ServiceError. All but the words have defaults. */
type ServiceErrorDetails = Pick<ServiceError, 'message' | 'description'> &
	Partial<Omit<ServiceError, keyof Error | 'description' | 'with'>>;

/** The service or the token authority did not do what was asked. */
export class ServiceError extends Error {
	/** How to fix it. */
	readonly description: string;
	/** HTTP status; null where there was no answer. */
	readonly httpCode: number | null;
	/** The service's own code, e.g. `30011`; Entra's, e.g. `AADSTS7000215`; or a transport's, e.g. `ENOTFOUND`. */
	readonly code: string | null;
	/** What the service's support asks for. */
	readonly correlationId: string | null;
	readonly outcome: Outcome;
	/** The service's clock when it answered; epoch milliseconds, null where it is not known. */
	readonly date: number | null;
	/** The conversation that the error is about, where it is not known otherwise. */
	readonly conversationId: string | null;
	/** Whether another try is of use. Whether it is safe follows from `outcome`. */
	readonly retry: Retry;
	/** Whether the service asks for a pause, which then holds for every request of the run. */
	readonly isThrottled: boolean;
	/** The length of that pause in milliseconds; undefined where the service does not say. */
	readonly retryAfterMs: number | undefined;

	constructor(details: ServiceErrorDetails) {
		super(details.message);
		this.name = 'ServiceError';
		this.description = details.description;
		this.httpCode = details.httpCode ?? null;
		this.code = details.code ?? null;
		this.correlationId = details.correlationId ?? null;
		this.outcome = details.outcome ?? 'notSent';
		this.date = details.date ?? null;
		this.conversationId = details.conversationId ?? null;
		this.retry = details.retry ?? 'never';
		this.isThrottled = details.isThrottled ?? false;
		this.retryAfterMs = details.retryAfterMs;
	}

	/** Returns the same error with some details changed. */
	with(changes: Partial<ServiceErrorDetails>): ServiceError {
		// Spreading an error leaves its message out.
		return new ServiceError({ ...this, message: this.message, ...changes });
	}
}

/** Makes the error of a request that was not sent because the execution was cancelled. */
export function cancelled(): ServiceError {
	return new ServiceError({
		message: 'The execution was cancelled before this was sent',
		description: 'Send only what was not sent.',
		code: 'ABORT_ERR',
	});
}

/** Gives an error of a service, to be decided on or worded. @throws every other error, as it is. */
export function serviceErrorOf(error: unknown): ServiceError {
	if (error instanceof ServiceError) return error;
	throw error;
}

/** Explains a proxy's 407. @param variable of n8n's environment that names the proxy. */
export function proxyPassword(variable = 'HTTPS_PROXY'): Explanation {
	return {
		message: 'The proxy between n8n and the service wants a password',
		fix: `Put it into ${variable} of n8n: http://user:password@proxy:port.`,
	};
}
