/**
 * Who calls, in the header User-Agent: the package's name and version. Some hosts and gateways refuse a request without
 * one. test/package.test.ts holds it to package.json, which is not read, as it is elsewhere in the published package.
 */
export const USER_AGENT = 'n8n-nodes-dynamics365-messaging/0.1.0';
