import { explainAnswer, explainFailure, explainTimeout, type Posted } from '../../emulator/http/explain';

const URL_ = 'https://n8n.example.com/webhook/a/b';
const TEST_URL = 'https://n8n.example.com/webhook-test/a/b';
const unknown = JSON.stringify({
	code: 404,
	message: 'The requested webhook "POST a/b" is not registered.',
	hint: '…',
});
const otherMethod = JSON.stringify({
	code: 404,
	message: 'This webhook is not registered for POST requests. Did you mean to make a GET request?',
});

test.each<[number, string, Posted, string, RegExp]>([
	[
		404,
		unknown,
		'signedActivity',
		URL_,
		/^No workflow is listening at this URL\. Publish .* URL of its trigger\.$/,
	],
	[404, unknown, 'customerMessage', URL_, /^No workflow is listening at this URL\. .* its Webhook node\.$/],
	[404, unknown, 'signedActivity', TEST_URL, /^No workflow is listening.* choose Listen for test event/],
	[404, unknown, 'customerMessage', TEST_URL, /^No workflow is listening.* choose Execute workflow/],
	[404, otherMethod, 'customerMessage', URL_, /not for POST\. Set HTTP Method/],
	[404, '<html>', 'signedActivity', URL_, /^No workflow is listening at this URL: .* not a webhook of n8n/],
	[404, '', 'signedActivity', URL_, /^No workflow is listening at this URL/],
	[404, '[]', 'signedActivity', URL_, /^No workflow is listening at this URL/],
	[404, '{"message":5}', 'signedActivity', URL_, /^No workflow is listening at this URL/],
	[401, '', 'signedActivity', URL_, /^The trigger rejected the token \(401\)\. Check Tenant ID/],
	[401, '', 'unsignedActivity', URL_, /had no token \(401\)\. Sign deliveries/],
	[401, '', 'customerMessage', URL_, /asks for authentication \(401\)/],
	[403, 'no', 'signedActivity', URL_, /stands before the trigger/],
	[403, 'no', 'customerMessage', URL_, /asks for authentication \(403\)/],
	[400, '{"error":"too long"}', 'customerMessage', URL_, /It says: “too long”$/],
	[400, '', 'signedActivity', URL_, /cannot read it/],
	[413, '', 'signedActivity', URL_, /too large/],
	[429, '', 'customerMessage', URL_, /asks to wait/],
	[500, '{"message":"Error in workflow"}', 'customerMessage', URL_, /workflow failed .*“Error in workflow”$/],
	[503, '', 'signedActivity', URL_, /cannot take it now/],
	[503, '{"error":"busy"}', 'customerMessage', URL_, /Send it again in a moment\. It says: “busy”$/],
	[502, '', 'signedActivity', URL_, /a proxy/],
	[301, '', 'signedActivity', URL_, /leads on to another one \(301\)/],
	[204, '', 'signedActivity', URL_, /takes only 200/],
	[418, '', 'signedActivity', URL_, /^Answered 418\.$/],
])('%i %s of a %s to %s', (status, body, posted, url, words) => {
	expect(explainAnswer({ url, status, body }, posted)).toMatch(words);
});

test('what a webhook says is quoted up to a length', () => {
	const body = JSON.stringify({ message: 'x'.repeat(5_000) });
	expect(explainAnswer({ url: URL_, status: 500, body }, 'customerMessage').length).toBeLessThan(500);
});

test.each<[string, RegExp]>([
	['ECONNREFUSED', /^Nothing listens at this URL \(n8n\.example\.com\)/],
	['ENOTFOUND', /^No machine is named n8n\.example\.com/],
	['EAI_AGAIN', /^No machine is named/],
	['ECONNRESET', /was cut/],
	['ETIMEDOUT', /cannot reach/],
	['DEPTH_ZERO_SELF_SIGNED_CERT', /certificate of n8n\.example\.com is not trusted/],
	['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /certificate/],
	['EPROTO', /does not speak https\. Try the URL with http:/],
	['HPE_INVALID_CONSTANT', /does not speak https/],
	['ESOMETHING', /^as it is$/],
])('without an answer: %s', (code, words) => {
	expect(explainFailure(URL_, Object.assign(new Error('as it is'), { code }))).toMatch(words);
});

test('without an answer in time', () => {
	expect(explainTimeout(10_000, 'signedActivity')).toMatch(/^No answer within 10 s\. Dynamics 365/);
	expect(explainTimeout(60_000, 'customerMessage')).toMatch(/^No answer within 60 s\. Look/);
});
