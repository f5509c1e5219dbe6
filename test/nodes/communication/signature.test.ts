import fc from 'fast-check';
import { refuseSignature } from '../../../emulator/communication/signature';
import { signWithKey } from '../../../nodes/AzureCommunicationConversations/api/signature';

const AT = new Date('2022-04-13T18:09:12Z');

// Microsoft's published vectors. Source: docs/service-facts.md#acs-signature.
test.each([
	['https://example.com/testPath?testQuery=test', 'DGdgwggJWnQyc6EHjR/Vbqg1ES64KpD6U2XwTDDj3tU='],
	['https://example.com/testPath', '+6tWkg3lNKVjQHHmxkdGQcJjUgzclsWTMebnuCz1ngU='],
])('signs %s as Microsoft does', (url, signature) => {
	const headers = signWithKey('pw==', { method: 'GET', url: new URL(url), body: '' }, AT);
	expect(headers).toEqual({
		'x-ms-date': 'Wed, 13 Apr 2022 18:09:12 GMT',
		'x-ms-content-sha256': '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
		authorization: `HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=${signature}`,
	});
});

test('every path, query and body is signed as it is sent', () => {
	const key = Buffer.from('a key').toString('base64');
	fc.assert(
		fc.property(fc.string(), fc.string(), fc.string({ unit: 'grapheme' }), (id, value, body) => {
			const url = new URL(`https://localhost:8443/messages/${encodeURIComponent(id)}`);
			url.search = new URLSearchParams({ value }).toString();
			const headers = signWithKey(key, { method: 'POST', url, body }, AT);
			const request = {
				method: 'POST',
				pathAndQuery: url.pathname + url.search,
				headers: { ...headers, host: url.host },
				body: Buffer.from(body, 'utf8'),
			};
			expect(refuseSignature(request, key, AT.getTime())).toBeUndefined();
			expect(
				refuseSignature({ ...request, pathAndQuery: `${request.pathAndQuery}&x=1` }, key, AT.getTime()),
			).toBeDefined();
		}),
	);
});
