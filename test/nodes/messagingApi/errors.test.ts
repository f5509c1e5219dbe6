import {
	explainMessagingError,
	isConversationGone,
} from '../../../nodes/Dynamics365Messaging/messagingApi/errors';

const answer = (status: number, body: string, headers = {}) => ({ status, body, headers });

test.each([
	['errorCode', '{"errorCode":30011}'],
	['a string', '{"code":"30011"}'],
	['PascalCase', '{"ErrorCode":30011}'],
	['an error object', '{"error":{"code":"30011","message":"no"}}'],
	['extensions', '{"title":"Bad Request","extensions":{"errorCode":30011}}'],
	['a list of errors', '{"errors":[{"code":30011}]}'],
])('finds the code under %s', (_, body) => {
	expect(explainMessagingError(answer(400, body))).toMatchObject({
		code: '30011',
		httpCode: 400,
		message: 'The text is longer than 6,000 characters',
	});
});

test.each([
	[400, ''],
	[401, '{"title":"Unauthorized"}'],
	[404, '"gone"'],
	[429, '<html><body>Too many</body></html>'],
	[500, '[]'],
	[503, 'null'],
	[418, '{"status":418,"title":"30 011"}'],
	[302, ''],
])('explains %i with the body %s without a code', (status, body) => {
	const error = explainMessagingError(answer(status, body));
	expect(error).toMatchObject({ httpCode: status, code: null, correlationId: null });
	expect(error.message).not.toBe('');
	expect(error.description).not.toBe('');
});

test('passes on the correlation id and the service’s own words, but no proxy’s HTML', () => {
	const problem = '{"title":"Bad Request","detail":"The page is too large","errorCode":30008}';
	const error = explainMessagingError(answer(400, problem, { 'x-ms-correlation-id': 'c-1' }));
	expect(error.correlationId).toBe('c-1');
	expect(error.description).toContain('The page is too large');
	expect(explainMessagingError(answer(502, '<h1>Bad gateway</h1>')).description).not.toContain('<');
});

// Every code of the service. Source: docs/service-facts.md#error-codes.
test.each<[number, number, string, string]>([
	[30001, 400, 'organization ID', 'Organization ID'],
	[30002, 400, 'channel ID', 'Channel ID'],
	[30003, 400, 'does not know this operation', 'Create Path'],
	[30004, 404, 'no configuration', 'channel record'],
	[30005, 400, 'conversation ID', 'conversationId'],
	[30006, 400, 'start time', '2026-'],
	[30007, 400, '1 to 250', 'Limit'],
	[30008, 400, '1 to 100', 'Limit'],
	[30009, 400, 'page token', 'again'],
	[30010, 400, '100 context variables', 'at most 100'],
	[30011, 400, '6,000 characters', 'Shorten'],
	[30012, 400, 'could not read', 'fields'],
	[30013, 404, 'closed already', 'Get Transcript'],
	[30014, 400, 'not linked to a workstream', '15 minutes'],
	[30015, 500, 'could not write its answer', 'correlation ID'],
	[30016, 400, 'neither text nor attachments', 'at least one'],
])('%i with HTTP status %i names the mistake and how to mend it', (code, status, message, fix) => {
	const problem = JSON.stringify({ title: 'x', status, detail: 'In other words', errorCode: code });
	const headers = { 'x-ms-correlation-id': 'c-1' };
	expect(explainMessagingError(answer(status, problem, headers))).toMatchObject({
		message: expect.stringContaining(message),
		description: expect.stringMatching(new RegExp(`${fix}.*In other words`)),
		httpCode: status,
		code: String(code),
		correlationId: 'c-1',
		outcome: 'notSent',
	});
});

test.each<[number, Record<string, string>, 'notSent' | 'uncertain']>([
	[400, {}, 'notSent'],
	[401, {}, 'notSent'],
	[404, {}, 'notSent'],
	[408, {}, 'uncertain'],
	[413, {}, 'notSent'],
	[429, {}, 'notSent'],
	[500, {}, 'uncertain'],
	[502, {}, 'uncertain'],
	[503, {}, 'uncertain'],
	[503, { 'retry-after': '1' }, 'notSent'],
	[504, {}, 'uncertain'],
	[301, {}, 'uncertain'],
	[302, {}, 'uncertain'],
	[304, {}, 'uncertain'],
	[307, {}, 'uncertain'],
	[308, {}, 'uncertain'],
])(
	'after %i with %j, what was sent is %s, and the text says how to look if open',
	(status, headers, outcome) => {
		const error = explainMessagingError(answer(status, '', headers), {
			howToVerify: 'Look there.',
			isIdempotent: false,
		});
		expect(error.outcome).toBe(outcome);
		expect(error.message.includes('may have arrived')).toBe(outcome === 'uncertain');
		expect(error.description.includes('Look there.')).toBe(outcome === 'uncertain');
		expect(explainMessagingError(answer(status, '', headers)).outcome).toBe('notSent');
	},
);

test.each([
	['a bare string', '"The channel is off"', 'The service said: The channel is off'],
	['a text', 'upstream connect error', 'The service said: upstream connect error'],
	[
		'a page',
		'<!doctype html><html><head><title>Access\n denied</title></head><body>…</body></html>',
		'a proxy or gateway in between: Access denied',
	],
	['a page without a title', '\n<html></html>', 'a proxy or gateway in between.'],
	['a text with a token', '{"detail":"eyJhbGciOi.eyJzdWIiOi.c2ln is expired"}', 'said: [token] is expired'],
	[
		'a token as in a URL',
		'{"detail":"eyJhbGciOi%2EeyJzdWIiOi%2Ec2ln is expired"}',
		'said: [token] is expired',
	],
	[
		'a token behind a percent-encoded blank',
		'{"detail":"Bearer%20eyJhbGciOiJSUzI1NiJ9%252EeyJzdWIiOiJ4In0%2Eabc wrong"}',
		'said: Bearer%20[token] wrong',
	],
	[
		'a signed URL within a URL',
		'{"detail":"u=https%3A%2F%2Fx%2F%3Fa%26sig%3Dabc%252F&b failed"}',
		'said: u=https%3A%2F%2Fx%2F%3Fa%26sig%3D[signature]&b failed',
	],
	[
		'a secret of a form',
		'{"detail":"client_secret=abc~1&x refused"}',
		'said: client_secret=[secret]&x refused',
	],
	[
		'a word that ends like a signature',
		'{"detail":"design: blue is unknown"}',
		'said: design: blue is unknown',
	],
	['a signed request', '{"detail":"Signature=aB3+/x%2B= is wrong"}', 'said: Signature=[signature] is wrong'],
	[
		'a signed URL',
		'{"detail":"GET /f?sig=aB3%2B%3D&se=1 failed"}',
		'said: GET /f?sig=[signature]&se=1 failed',
	],
	['nothing', '', 'Try again'],
])('reads %s', (_, body, words) => {
	const { description } = explainMessagingError(answer(503, body));
	expect(description).toContain(words);
	expect(description).not.toMatch(/<|\n|eyJ/);
});

test.each([
	['"30014"', '30014'],
	['30014: the channel is not linked', '30014'],
	['{"detail":"Error code: 30014."}', '30014'],
	['{"errors":{"Text":["30011 too long"]}}', '30011'],
	['{"retryAfterMs":30000}', null],
	['{"detail":"130014 and 300141"}', null],
	['{"detail":"30013 of it","errorCode":30011}', '30011'],
	['<title>30014</title>', null],
	['30014', '30014'],
	['{"type":"https://example.com/errors/30014","title":"Bad Request"}', '30014'],
	['{"title":"[30014] The channel is not linked"}', '30014'],
	['{"error":{"code":"30014","message":"The channel is not linked"}}', '30014'],
	['{"Error":{"InnerError":{"ErrorCode":30014}}}', '30014'],
	['{"error":{"description":"The error is (30014)"}}', '30014'],
	['{"message":"30011","code":"30014"}', '30014'],
	// Numbers of other things that are as long as a code.
	['{"retryAfterMs":30001}', null],
	['{"detail":"Conversation 30013 was not found"}', null],
	['{"instance":"/conversation/30013","conversationId":"30013"}', null],
	['{"type":"https://example.com/30013/problems"}', null],
	['{"error":{"id":"30014","length":30011}}', null],
	['{"traceId":"00-30013-01","detail":"It took 30014 ms"}', null],
	['{"status":30014}', null],
	['{"postalCode":"30012","code":"30013"}', '30013'],
	['{"countryCode":30013,"error":{"code":30011}}', '30011'],
	['{"zipcode":30013,"statusCode":30012}', null],
	['{"detail":"ErrorCode: 30011"}', '30011'],
	['{"detail":"ErrorCode=30011"}', '30011'],
	['{"detail":"error_code 30011"}', '30011'],
	['{"type":"https://example.com/errors/30014/"}', '30014'],
])('%s has the code %p', (body, code) => {
	expect(explainMessagingError(answer(500, body)).code).toBe(code);
});

test('the fields that a problem names are passed on', () => {
	const problem = '{"title":"One or more errors","errors":{"Text":["Too long","Too odd"]}}';
	expect(explainMessagingError(answer(400, problem)).description).toContain(
		'The service said: Too long Too odd',
	);
});

test('a page in place of the service’s word is told as such, and no conversation is gone for it', () => {
	const page = explainMessagingError(answer(404, '<html><title>Not found</title></html>'));
	expect(page).toMatchObject({
		message: 'A proxy or gateway in between answered with HTTP status 404',
		description: expect.stringContaining('Base URL'),
	});
	expect(isConversationGone(page)).toBe(false);
	expect(isConversationGone(explainMessagingError(answer(404, '{"errorCode":30004}')))).toBe(false);
	expect(isConversationGone(explainMessagingError(answer(404, '{"errorCode":30013}')))).toBe(true);
	expect(isConversationGone(explainMessagingError(answer(404, '')))).toBe(true);
	expect(isConversationGone(explainMessagingError(answer(400, '{"errorCode":30013}')))).toBe(false);
});

test.each(['{"errorCode":30013}', ''])(
	'a conversation that is gone is explained to who reads and who writes: %s',
	(body) => {
		const writing = { howToVerify: 'Look.', isIdempotent: false };
		const [read, written] = [undefined, writing].map((how) => explainMessagingError(answer(404, body), how));
		const message = 'The conversation does not exist or is closed already';
		expect([read?.message, written?.message]).toEqual([message, message]);
		expect(read?.description).toContain('Conversation: Get Transcript');
		expect(read?.description).not.toContain('Send or Start');
		expect(written?.description).toContain('Send or Start');
		expect(written?.description).not.toContain('Get Transcript');
	},
);

test('what was repeated is not told as not sent again', () => {
	const error = explainMessagingError(answer(500, ''), { howToVerify: 'Run it again.', isIdempotent: true });
	expect(error).toMatchObject({ outcome: 'uncertain', description: 'Run it again.' });
	expect(error.message).not.toContain('not sent again');
});

test('shows nothing of a credential in the code either', () => {
	const body = '{"error":{"code":"eyJhbGciOi.eyJzdWIiOi.c2ln","message":"no"}}';
	expect(JSON.stringify(explainMessagingError(answer(400, body)))).not.toContain('eyJ');
});

test('looks at the beginning of a page only', () => {
	const start = process.cpuUsage();
	const page = `<html>${'<title '.repeat(40_000)}`;
	expect(explainMessagingError(answer(502, page)).description).toContain('proxy or gateway in between');
	expect(process.cpuUsage(start).user / 1000).toBeLessThan(1_000);
});

test('a long text without an end is looked at in its beginning only', () => {
	const from = performance.now();
	explainMessagingError(answer(400, JSON.stringify({ type: `${'a'.repeat(300_000)}/` })));
	expect(performance.now() - from).toBeLessThan(1_000);
});
