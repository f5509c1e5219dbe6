/** The part of an error's source that all of Microsoft's services share. Source: docs/service-facts.md#error-answers. */
export const MICROSOFT = {
	support: 'Microsoft',
	correlationHeaders: ['x-ms-correlation-id', 'x-ms-service-request-id'],
} as const;
