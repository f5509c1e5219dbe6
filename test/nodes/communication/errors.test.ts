import { explainCommunicationError } from '../../../nodes/AzureCommunicationConversations/api/errors';

type Kind = Parameters<typeof explainCommunicationError>[0];

const answer = (status: number, error: object = {}, headers: Record<string, string> = {}) => ({
	status,
	headers,
	body: JSON.stringify({ error: { code: 'C', message: 'M', ...error } }),
});
const explain = (kind: Kind, ...given: Parameters<typeof answer>) =>
	explainCommunicationError(kind)(answer(...given));
const inner = (message: string) => ({ innererror: { code: 'I', message } });

test.each<[string, Kind, Parameters<typeof answer>, string, string]>([
	['a token of Entra', 'entra', [401], 'app’s token', 'tenant'],
	['an access key', 'accessKey', [401], 'access key', 'clock'],
	['a user token', 'userToken', [401], 'user access token', '24 hours'],
	['an app without a role', 'entra', [403], 'not allowed', 'Access control'],
	['a key without rights', 'accessKey', [403], 'not allowed', 'Entra app'],
	['a user without rights', 'userToken', [403], 'not allowed', 'participant'],
	['no such conversation', 'entra', [404], 'does not know this conversation', 'Endpoint'],
	['a conversation that is over', 'entra', [409], 'state of the conversation', 'Conversation: Create'],
	['a busy service', 'entra', [429], 'too many requests', 'fewer'],
	[
		'a repetition that is not one',
		'entra',
		[400, {}, { 'repeatability-result': 'rejected' }],
		'repeated request',
		'new request',
	],
	['WhatsApp’s window', 'entra', [400, inner('(#131047) Re-engagement message')], '24 hours', 'template'],
	['the window in words', 'entra', [400, inner('More than 24 hours have passed')], '24 hours', 'template'],
	[
		'a template that is not there',
		'entra',
		[400, inner('(#132001) x')],
		'no approved template',
		'exactly that of the template',
	],
	[
		'too few values',
		'entra',
		[400, inner('(#132000) Number of parameters does not match')],
		'do not fit',
		'a value for each placeholder',
	],
	['a paused template', 'entra', [400, inner('(#132015) Template is paused')], 'cannot be sent', 'status'],
	[
		'a file that cannot be had',
		'entra',
		[400, inner('(#131053) Media upload error')],
		'could not be fetched',
		'login',
	],
	[
		'a number that is not on WhatsApp',
		'entra',
		[400, inner('(#131026) Message undeliverable')],
		'cannot deliver',
		'country code',
	],
])('%s', (_, kind, given, message, fix) => {
	const error = explain(kind, ...given);
	expect(error.message).toContain(message);
	expect(error.description).toContain(fix);
	expect(error.httpCode).toBe(given[0]);
	expect(error.outcome).toBe('notSent');
});

test('a busy or broken service says nothing of the message, whatever its words', () => {
	const error = explain('entra', 429, inner('More than 24 hours: the limit of a rolling period is exceeded'));
	expect(error.message).toContain('too many requests');
	expect(explain('entra', 500, inner('media could not be uploaded')).message).toBe('The service failed');
});

test('its own words: the real cause first, none pushed out by another, x-ms-error-code and MS-CV', () => {
	const error = explain(
		'entra',
		400,
		{
			message: 'long '.repeat(200),
			target: 'request',
			...inner('The real cause.'),
			details: [{ message: 'A detail.', ...inner('Its cause.') }],
		},
		{ 'x-ms-error-code': 'HeaderCode', 'ms-cv': 'vector' },
	);
	expect(error.description).toMatch(/The service said: The real cause\. Its cause\. A detail\. long/);
	expect(explain('entra', 400, { message: '', target: 'request' }).description).toContain('Target: request.');
	expect(error.description).toContain('x-ms-error-code: HeaderCode.');
	expect(error).toMatchObject({ code: 'C', correlationId: 'vector' });
	expect(explain('entra', 400, {}, { 'x-ms-error-code': 'C' }).description).not.toContain('x-ms-error-code');
});
