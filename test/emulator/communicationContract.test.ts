import { document } from '../../emulator/communication/errors';
import { codeOf, statusOf } from '../../emulator/communication/errors';
import {
	validateCommunicationAnswer,
	validateCommunicationRequest,
} from '../../emulator/communication/validate';
import { hashOf, isHttpDate, refuseSignature, signatureOf } from '../../emulator/communication/signature';

const ID = '19%3A8c2d5e71-b3f4-4a09-96e8-d17a04c6f3b5%40thread.v2';
const CHANNEL = 'e41a6c37-90bd-4f52-a8d6-3b7f15c9e280';
const GUID = '0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d';
const DATE = 'Wed, 13 Apr 2022 18:09:12 GMT';
const HEADERS = { Authorization: 'Bearer x.y.z' };
const TEXT = { request: { kind: 'text', content: 'x' } };

const check = (method: string, path: string, more: object = {}) =>
	validateCommunicationRequest({
		method,
		path: `/messages${path}`,
		query: { 'api-version': '2025-04-01-preview' },
		headers: HEADERS,
		...more,
	});
const codes = (...request: Parameters<typeof check>) => check(...request).errors.map(({ code }) => code);

test.each<[string, string, unknown, string | null]>([
	['GET', '/conversations', undefined, 'listConversations'],
	['POST', '/conversations', { conversation: {} }, 'createConversation'],
	['GET', `/conversations/${ID}`, undefined, 'getConversation'],
	['DELETE', `/conversations/${ID}`, undefined, 'deleteConversation'],
	['POST', `/conversations/${ID}:terminate`, undefined, 'terminateConversation'],
	['GET', `/conversations/${ID}/messages`, undefined, 'listMessages'],
	['POST', `/conversations/${ID}/messages:send`, TEXT, 'sendMessage'],
	[
		'POST',
		`/conversations/${ID}/participants:add`,
		{ participants: [{ kind: 'internal', contact: { id: 'x', kind: 'communication' } }] },
		'addParticipants',
	],
	['POST', `/conversations/${ID}/participants:remove`, { participantIds: ['x'] }, 'removeParticipants'],
	['GET', `/channels/${CHANNEL}/templates`, undefined, 'listTemplates'],
	['POST', `/conversations/${ID}:analyze`, undefined, null],
	['POST', `/conversations/${ID}/messages`, TEXT, null],
	['GET', '/conversations/', undefined, null],
])('%s %s', (method, path, body, name) => {
	const { errors, operationId } = check(method, path, { body });
	expect(operationId).toBe(name === null ? null : `communication.${name}`);
	expect(errors.length === 0).toBe(name !== null);
});

test('a query may stand in the path or beside it', () => {
	const version = 'api-version=2025-09-01-preview';
	expect(codes('GET', `/conversations?${version}`, { query: undefined })).toEqual([]);
	expect(codes('GET', `/conversations?${version}&maxPageSize=x`, { query: undefined })).toEqual([
		'BadRequest',
	]);
	expect(codes('GET', '/conversations', { query: {} })).toEqual(['ApiVersionUnspecified']);
	expect(codes('GET', '/conversations', { query: { 'api-version': '1', maxPageSize: '0' } })).toEqual([
		'UnsupportedApiVersion',
		'BadRequest',
	]);
});

test('a body may be JSON or what JSON says', () => {
	const path = `/conversations/${ID}/messages:send`;
	expect(codes('POST', path, { body: JSON.stringify(TEXT) })).toEqual([]);
	expect(codes('POST', path, { body: '{"request"' })).toEqual(['BadRequest']);
	expect(codes('POST', path, {})).toEqual(['BadRequest']);
});

test('what is wrong is named', () => {
	const path = `/conversations/${ID}/messages:send`;
	const details = (body: unknown) => check('POST', path, { body }).errors.map(({ detail }) => detail);
	expect(details({ request: { kind: 'sticker' } })).toEqual([
		'/request value of tag "kind" must be in oneOf: "sticker"',
	]);
	expect(details({ request: { kind: 'audio', mediaUri: 'https://a.example/', fileName: 'x' } })).toEqual([
		'/request must NOT have additional properties: "fileName"',
	]);
	expect(details({ ...TEXT, outboundDeliveryStrategy: 'x' })).toEqual([
		'/outboundDeliveryStrategy must be equal to one of the allowed values: ["internalOnly","allParticipants"]',
	]);
});

test.each<[string, Record<string, string>, string[]]>([
	['a signature', { authorization: 'HMAC-SHA256 SignedHeaders=x' }, []],
	['nothing', {}, ['Unauthorized']],
	['another scheme', { authorization: 'Basic x' }, ['Unauthorized']],
	[
		'a request with an idempotency key',
		{ ...HEADERS, 'Repeatability-Request-ID': GUID, 'Repeatability-First-Sent': DATE },
		[],
	],
	['an id that is no GUID', { ...HEADERS, 'Repeatability-Request-ID': '1' }, ['BadRequest']],
	['an ISO date', { ...HEADERS, 'Repeatability-First-Sent': '2022-04-13T18:09:12Z' }, ['BadRequest']],
	['a request id', { ...HEADERS, 'x-ms-client-request-id': 'x' }, ['BadRequest']],
	['another type', { ...HEADERS, 'Content-Type': 'text/json' }, ['UnsupportedMediaType']],
	['the type', { ...HEADERS, 'Content-Type': 'application/json; charset=utf-8' }, []],
])('headers with %s', (_name, headers, expected) => {
	expect(codes('POST', `/conversations/${ID}/messages:send`, { headers, body: TEXT })).toEqual(expected);
});

test('answers are held against the contract', () => {
	expect(validateCommunicationAnswer('communication.sendMessage', 200, { messageId: '1' })).toEqual([]);
	expect(validateCommunicationAnswer('communication.sendMessage', 200, {})).toEqual([
		"/ must have required property 'messageId'",
	]);
	expect(validateCommunicationAnswer('communication.sendMessage', 400, { error: { code: 'x' } })).toEqual([
		"/error must have required property 'message'",
	]);
	expect(validateCommunicationAnswer('communication.deleteConversation', 204, {})).toEqual([
		'/ must not be there',
	]);
	expect(() => validateCommunicationAnswer('communication.sendMessage', 202, {})).toThrow('no answer 202');
	expect(() => validateCommunicationAnswer('communication.nothing', 200, {})).toThrow('no answer 200');
});

test('each code has a status, and each status a code', () => {
	const all = Object.keys(document['x-error-codes'] as object);
	for (const code of all) expect(statusOf(code)).toBeGreaterThanOrEqual(400);
	expect([400, 401, 429, 500, 503, 504].map(codeOf)).toEqual([
		'BadRequest',
		'Unauthorized',
		'TooManyRequests',
		'InternalServerError',
		'ServiceUnavailable',
		'Error',
	]);
	expect(() => statusOf('Nothing')).toThrow('no error code Nothing');
});

test.each([
	[DATE, true],
	['Wed, 13 Apr 2022 18:09:12 +0000', false],
	['Thu, 13 Apr 2022 18:09:12 GMT', false],
	['Wed, 31 Feb 2022 18:09:12 GMT', false],
	['2022-04-13T18:09:12Z', false],
	['', false],
])('%s as a date of HTTP: %s', (text, expected) => {
	expect(isHttpDate(text)).toBe(expected);
});

describe('signatures', () => {
	const EMPTY = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';
	const at = Date.parse(DATE);
	const request = (pathAndQuery: string, signature: string) => ({
		method: 'GET',
		pathAndQuery,
		headers: {
			'x-ms-date': DATE,
			host: 'example.com',
			'x-ms-content-sha256': EMPTY,
			authorization: `HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=${signature}`,
		} as Record<string, string>,
		body: Buffer.alloc(0),
	});

	// Of the tests of Microsoft's own SDK.
	test.each([
		['/testPath?testQuery=test', 'DGdgwggJWnQyc6EHjR/Vbqg1ES64KpD6U2XwTDDj3tU='],
		['/testPath', '+6tWkg3lNKVjQHHmxkdGQcJjUgzclsWTMebnuCz1ngU='],
	])('the published one for %s', (path, signature) => {
		expect(signatureOf(request(path, ''), 'pw==')).toBe(signature);
		expect(refuseSignature(request(path, signature), 'pw==', at)).toBeUndefined();
		expect(refuseSignature(request(path, signature), 'pw==', at + 5 * 60_000)).toBeUndefined();
		expect(refuseSignature(request(path, signature), 'pw==', at - 5 * 60_000)).toBeUndefined();
		expect(refuseSignature(request(path, signature), 'pw==', at + 5 * 60_000 + 1)).toMatch('5 minutes');
		expect(refuseSignature(request(path, signature), 'pg==', at)).toMatch('does not match');
		expect(refuseSignature(request(`${path}/`, signature), 'pw==', at)).toMatch('does not match');
		expect(refuseSignature(request(path, signature.slice(1)), 'pw==', at)).toMatch('does not match');
	});

	test('the path counts as it was sent', () => {
		const raw = request('/a%3ab?x=%20&y=+', '');
		expect(signatureOf(raw, 'pw==')).not.toBe(
			signatureOf({ ...raw, pathAndQuery: '/a%3Ab?x=%20&y=+' }, 'pw=='),
		);
		expect(signatureOf(raw, 'pw==')).not.toBe(
			signatureOf({ ...raw, pathAndQuery: '/a%3ab?x=+&y=+' }, 'pw=='),
		);
	});

	test('the hash of an empty body is that of the SDK', () => {
		expect(hashOf(Buffer.alloc(0))).toBe(EMPTY);
	});

	test.each(['x-ms-date', 'x-ms-content-sha256', 'authorization'])('nothing goes without %s', (name) => {
		const signed = request('/testPath', '+6tWkg3lNKVjQHHmxkdGQcJjUgzclsWTMebnuCz1ngU=');
		delete signed.headers[name];
		expect(refuseSignature(signed, 'pw==', at)).toBeDefined();
	});
});
