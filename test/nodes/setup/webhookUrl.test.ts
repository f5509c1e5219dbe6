import {
	isOfSameTrigger,
	isSameUrl,
	withoutUser,
} from '../../../nodes/Dynamics365Messaging/setup/webhookUrl';

const OWN = 'https://n8n.example.com/webhook/ab-c/d';

test.each([
	'https://N8N.Example.com/webhook/ab-c/d',
	'HTTPS://n8n.example.com:443/webhook/ab-c/d//',
	'https://n8n.example.com/webhook/%61b%2Dc/d',
	' https://n8n.example.com/webhook/x/../ab-c/d ',
])('%s is the own URL in another spelling', (url) => expect(isSameUrl(url, OWN)).toBe(true));

test.each([
	'http://n8n.example.com/webhook/ab-c/d',
	'https://n8n.example.com:8443/webhook/ab-c/d',
	'https://n8n.example.com/webhook/AB-c/d',
	'https://n8n.example.com/webhook/ab-c%2Fd',
	'https://n8n.example.com/webhook/ab-c/d?x=1',
	'https://%ff@n8n.example.com/webhook/ab-c/d',
	'n8n',
	null,
])('%p is another URL', (url) => expect(isSameUrl(url, OWN)).toBe(false));

test('nothing is the same as nothing, and escapes have no casing', () => {
	expect(isSameUrl(null, '')).toBe(true);
	expect(isSameUrl('https://a.example/%c3%bc', 'https://a.example/%C3%BC/')).toBe(true);
	expect(isSameUrl('https://a.example/%ff', 'https://a.example/%FF')).toBe(true);
});

test('a URL is asked without its user, whatever that is', () => {
	expect(withoutUser('https://%ff@host.example/a')?.href).toBe('https://host.example/a');
	expect(withoutUser('https://a:b@host.example/')?.href).toBe('https://host.example/');
	expect(withoutUser('no URL')).toBeUndefined();
});

test.each([
	[OWN, true],
	['https://n8n.example.com/webhook-test/ab-c/d/', true],
	['https://n8n.example.com//try/%61b-c/D', true],
	['https://old.example.com/webhook/ab-c/d', false],
	// Two n8ns of one host.
	['https://n8n.example.com/b/webhook/ab-c/d', false],
	['https://n8n.example.com/webhook/ab-c/e', false],
	['n8n', false],
	['', false],
])('%s is of the same trigger: %p', (url, expected) => expect(isOfSameTrigger(url, OWN)).toBe(expected));
