import { FAULT_DETAIL } from '../http/serve';
import type { Settings, StatusFault } from '../settings';
import { describeCode } from './validate';

/** An error of the service, with its code if it has one. */
export class ServiceError extends Error {
	readonly status: number;
	readonly title: string;

	constructor(
		readonly code: number | null,
		detail: string,
		problem?: { status: number; title: string },
	) {
		super(detail);
		const { status, title } =
			problem ?? (code === null ? { status: 500, title: 'Error' } : describeCode(code));
		this.status = status;
		this.title = title;
	}
}

export const unauthorized = (detail: string) =>
	new ServiceError(null, detail, { status: 401, title: 'Unauthorized' });

/** An answer with an error; its body is a problem as RFC 7807 defines it. */
export interface Problem {
	status: number;
	errorCode?: number;
	body: unknown;
}

export function problemOf({ code, message, status, title }: ServiceError, settings: Settings): Problem {
	return {
		status,
		errorCode: code ?? undefined,
		body: {
			type: 'https://tools.ietf.org/html/rfc9110#section-15',
			title,
			status,
			detail: message,
			...(code !== null && { [settings.errorCodeKey]: code }),
		},
	};
}

const FAULT_TITLES: Record<number, string> = {
	429: 'Too Many Requests',
	500: 'Internal Server Error',
	503: 'Service Unavailable',
};

/** Makes the answer for an injected status. */
export function problemOfFault({ body, code, status }: StatusFault, settings: Settings): Problem {
	// The fault's own body replaces the problem, and its code need not be one of the service.
	if (body !== undefined) return { status, body, errorCode: code };
	const title = code === undefined ? (FAULT_TITLES[status] ?? 'Error') : describeCode(code).title;
	return problemOf(new ServiceError(code ?? null, FAULT_DETAIL, { status, title }), settings);
}
