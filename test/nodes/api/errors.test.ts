import { explainAnswer } from '../../../nodes/Dynamics365Messaging/api/errors';

const answer = (status: number, body: string, headers = {}) => ({ status, body, headers });

test.each([
	['errorCode', '{"errorCode":30011}'],
	['a string', '{"code":"30011"}'],
	['PascalCase', '{"ErrorCode":30011}'],
	['an error object', '{"error":{"code":"30011","message":"no"}}'],
	['extensions', '{"title":"Bad Request","extensions":{"errorCode":30011}}'],
	['a list of errors', '{"errors":[{"code":30011}]}'],
])('finds the code under %s', (_, body) => {
	expect(explainAnswer(answer(400, body))).toMatchObject({
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
	const error = explainAnswer(answer(status, body));
	expect(error).toMatchObject({ httpCode: status, code: null, correlationId: null });
	expect(error.message).not.toBe('');
	expect(error.description).not.toBe('');
});

test('passes on the correlation id and the service’s own words, but no proxy’s HTML', () => {
	const problem = '{"title":"Bad Request","detail":"The page is too large","errorCode":30008}';
	const error = explainAnswer(answer(400, problem, { 'x-ms-correlation-id': 'c-1' }));
	expect(error.correlationId).toBe('c-1');
	expect(error.description).toContain('The page is too large');
	expect(explainAnswer(answer(502, '<h1>Bad gateway</h1>')).description).not.toContain('<');
});
