/** Who runs the services, and where their answers have what support asks for. Source: docs/service-facts.md#error-answers. */
export const MICROSOFT = {
	support: 'Microsoft',
	correlationHeaders: ['x-ms-correlation-id', 'x-ms-service-request-id'],
} as const;
