import type { IDataObject, INodeProperties, INodePropertyOptions, INodeTypeDescription } from 'n8n-workflow';
import { isPublicAddress } from '../../nodes/shared/transport/publicUrl';
import { activate, loadPackage, oneNode, type LoadedPackage } from '../support/n8n';

const credential = {
	tenantId: 'contoso.onmicrosoft.com',
	clientId: '9f6c021d-1234-4abc-8df7-123456789abc',
	clientSecret: 'x',
	organizationId: '93d5e7b8-1c4f-4062-b8aa-5f27c9e31d60',
	geo: 'eu',
	channelId: '6a0f4b2d-e793-4d8c-9b56-c8124ef7a391',
	baseUrl: '',
};
let loader: LoadedPackage;
beforeAll(async () => void (loader = await loadPackage()));

async function tryIt(
	base: string,
	given: { parameters?: IDataObject; baseUrl?: string; mode?: 'manual' } = {},
) {
	const credentials = { dynamics365MessagingApi: { ...credential, baseUrl: given.baseUrl ?? '' } };
	const json = oneNode('dynamics365MessagingTrigger', { registerWebhook: false, ...given.parameters });
	return await activate({ loader, json, credentials, webhookBaseUrl: `${base}/webhook`, mode: given.mode });
}

test('panel and dialog say what happens with Register Webhook on, and what to do with it off', () => {
	const { properties, activationMessage, triggerPanel } = loader.nodeTypes.dynamics365MessagingTrigger!.type
		.description as INodeTypeDescription;
	const notice = properties.find(({ name }) => name === 'registerNotice')!;
	expect(notice.displayOptions).toEqual({ hide: { registerWebhook: [true] } });
	expect(notice.displayName).toMatch(/Production URL.*msdyn_webhookurl/);
	for (const text of [activationMessage, JSON.stringify(triggerPanel)]) {
		expect(text).toMatch(/With Register Webhook (on|off)/);
		expect(text).toMatch(/with it off/i);
		expect(text).toMatch(/production URL/i);
	}
});

test('Register Webhook is on by default, and the fields stand in the order in which people think of them', () => {
	const { properties } = loader.nodeTypes.dynamics365MessagingTrigger!.type
		.description as INodeTypeDescription;
	const fields = properties.filter(({ type }) => type !== 'notice');
	expect(fields.find(({ name }) => name === 'registerWebhook')).toMatchObject({ default: true });
	expect(fields.map(({ displayName }) => displayName)).toEqual([
		'Trigger On',
		'Register Webhook',
		'Respond',
		'Verification',
		'Outputs',
		'Options',
	]);
	const says = properties.filter(({ type }) => type === 'notice').map(({ displayName }) => displayName);
	expect(says.filter((text) => /one webhook URL.*router template/.test(text))).toHaveLength(1);
});

test('the filter of event names says of each what it means', () => {
	const { properties } = loader.nodeTypes.dynamics365MessagingTrigger!.type
		.description as INodeTypeDescription;
	const options = properties.find(({ name }) => name === 'options')!.options as INodeProperties[];
	const names = options.find(({ name }) => name === 'eventNames')!.options as INodePropertyOptions[];
	for (const { name, value, description } of names) expect([name, !!description]).toEqual([value, true]);
	expect(names.find(({ name }) => name === 'AgentAccepted')).toMatchObject({
		description: 'A representative joined',
	});
});

test.each([{ conversationIds: '' }, { conversationIds: ' , ' }, { eventNames: [] }])(
	'a restriction that is empty is refused at activation: %j',
	async (options) => {
		const parameters = { options };
		await expect(tryIt('https://n8n.example.com', { parameters })).rejects.toThrow(
			/is empty: nothing would start the workflow. Fill it in, or remove the option/,
		);
	},
);

test.each([
	[{ conversationIds: 'kim-berger' }, /Conversation IDs has .*: kim-berger\. Use the conversationId/],
	[
		{ conversationIds: '9f6c021d-1234-4abc-8df7-123456789abc, 42' },
		/Conversation IDs has .*: 42\. Use the conversationId/,
	],
	[{ callerObjectId: 'dynamics' }, /Caller Object ID is not a GUID.*Enterprise applications/],
	[{ callerObjectId: '' }, /Caller Object ID is not a GUID.*remove the option/],
])('an ID that cannot be one is refused at activation and for a test: %j', async (options, says) => {
	for (const mode of [undefined, 'manual'] as const) {
		await expect(tryIt('https://n8n.example.com', { parameters: { options }, mode })).rejects.toThrow(says);
	}
});

test.each([
	{ conversationIds: '{9F6C021D-1234-4ABC-8DF7-123456789ABC}; 9f6c021d12344abc8df7123456789abc' },
	{ conversationIds: ['9f6c021d-1234-4abc-8df7-123456789abc'] },
	{ callerObjectId: ' 9f6c021d-1234-4abc-8df7-123456789abc ' },
])('an ID as people paste one is not: %j', async (options) => {
	await expect(tryIt('https://n8n.example.com', { parameters: { options } })).resolves.toBe(true);
});

test('without an Environment URL it says which of the two is to be changed, at once', async () => {
	const parameters = { registerWebhook: true };
	const says = 'Enter Environment URL in the credential, or switch Register Webhook off in the trigger';
	await expect(tryIt('https://n8n.example.com', { parameters })).rejects.toThrow(says);
	await expect(tryIt('https://n8n.example.com', { parameters, mode: 'manual' })).rejects.toThrow(says);
	// Without a credential there is nothing to register with.
	const unverified = { registerWebhook: true, verification: 'none' };
	await expect(tryIt('https://n8n.example.com', { parameters: unverified })).resolves.toBe(true);
});

test.each([
	'http://n8n.example.com',
	'http://localhost:5678',
	'https://localhost:5678',
	'https://n8n.localhost',
	'https://127.0.0.1',
	'https://127.1.2.3',
	'https://[::1]',
	'https://10.1.2.3',
	'https://172.16.0.1',
	'https://192.168.1.10:5678',
	'https://169.254.169.254',
	'https://[fd00::1]',
	'https://[::ffff:10.0.0.1]',
	'https://n8n',
	'https://n8n.local',
	'https://n8n.internal.',
	'https://n8n.intranet',
	'https://n8n.private',
	'https://n8n.localdomain',
	'https://n8n.home.arpa',
	'https://n8n.onion',
])('%s cannot be called by Dynamics: activation fails and says what to set', async (base) => {
	const error = await tryIt(base).catch((e: unknown) => e);
	expect(error).toMatchObject({
		message: expect.stringMatching(
			/^Set WEBHOOK_URL to n8n's public https address and restart n8n: Dynamics 365 cannot reach https?:/,
		),
	});
	await expect(tryIt(base, { parameters: { verification: 'none' } })).rejects.toThrow('cannot reach');
	// A test event needs the URL only where it is registered for it.
	await expect(tryIt(base, { mode: 'manual' })).resolves.toBe(true);
	const registering = { mode: 'manual', parameters: { registerWebhook: true } } as const;
	await expect(tryIt(base, registering)).rejects.toThrow('cannot reach');
});

test.each([
	'https://n8n.example.com',
	'https://n8n.example.com:8443',
	'https://52.1.2.3',
	'https://[2a01:111::1]',
])('%s can', async (base) => await expect(tryIt(base)).resolves.toBe(true));

test.each(['={{ "5 MB" }}', '={{ NaN }}', '={{ "" }}', 0])(
	'a limit that is no number is refused at activation, by the field’s name: %s',
	async (limit) => {
		for (const [name, label] of [
			['maxAttachments', 'Max Attachments'],
			['maxAttachmentSizeMb', 'Max Attachment Size (MB)'],
		] as const) {
			const parameters = { options: { downloadAttachments: true, [name]: limit } };
			const error = tryIt('https://n8n.example.com', { parameters });
			await expect(error).rejects.toThrow(`${label} must be`);
			await expect(tryIt('http://localhost', { parameters, mode: 'manual' })).rejects.toThrow(label);
			const unused = { options: { downloadAttachments: false, [name]: limit } };
			await expect(tryIt('https://n8n.example.com', { parameters: unused })).resolves.toBe(true);
		}
	},
);

test.each(['={{ "yes, please" }}', '={{ [true] }}', '={{ 2 }}'])(
	'what is neither yes nor no is refused at activation, by the field’s name: %s',
	async (flag) => {
		for (const [name, label] of [
			['downloadAttachments', 'Download Attachments'],
			['listButtons', 'List Buttons in Plain Text'],
		] as const) {
			const error = tryIt('https://n8n.example.com', { parameters: { options: { [name]: flag } } });
			await expect(error).rejects.toThrow(`${label} must be true or false`);
		}
		const limit = { options: { downloadAttachments: '={{ "true" }}', maxAttachments: '={{ "5 MB" }}' } };
		const error = tryIt('https://n8n.example.com', { parameters: limit });
		await expect(error).rejects.toThrow('Max Attachments must be');
	},
);

test.each(['https://localhost:8443', 'https://127.0.0.1:8443'])(
	'a URL on this machine is fine for a service that is on this machine too: %s',
	async (baseUrl) => {
		await expect(tryIt('http://localhost:5678', { baseUrl })).resolves.toBe(true);
		await expect(tryIt('http://localhost:5678', { baseUrl: 'https://proxy.example.com' })).rejects.toThrow(
			'cannot reach',
		);
	},
);

test.each([
	['8.8.8.8', true],
	['172.15.255.255', true],
	['172.32.0.1', true],
	['2606:4700::1111', true],
	['0.0.0.0', false],
	['10.255.255.255', false],
	['100.64.0.1', false],
	['127.0.0.1', false],
	['169.254.169.254', false],
	['172.31.255.255', false],
	['192.168.0.1', false],
	['224.0.0.1', false],
	['255.255.255.255', false],
	['::', false],
	['::1', false],
	['::ffff:127.0.0.1', false],
	['::ffff:7f00:1', false],
	['64:ff9b::7f00:1', false],
	['64:ff9b::10.0.0.1', false],
	['64:ff9b::a83f:8110', false],
	['64:ff9b::808:808', true],
	['64:ff9b::8.8.8.8', true],
	['64:ff9b:0:0:1::808:808', false],
	['64:ff9b:1::808:808', false],
	['::ffff:8.8.8.8', true],
	['::ffff:808:808', true],
	['::ffff:0:8.8.8.8', false],
	['::8.8.8.8', false],
	['::808:808', false],
	['::10.0.0.1', false],
	['168.63.129.16', false],
	['168.63.129.17', true],
	['::ffff:168.63.129.16', false],
	['192.88.99.1', false],
	['192.0.0.8', false],
	['192.31.196.1', false],
	['192.52.193.1', false],
	['192.175.48.1', false],
	['198.19.255.255', false],
	['240.0.0.1', false],
	['fec0::1', false],
	['feff::1', false],
	['2001::1', false],
	['2001:0:4136:e378:8000:63bf:3fff:fdd2', false],
	['2001:2::1', false],
	['2001:10::1', false],
	['2001:1f:ffff::1', false],
	['2001:20::1', false],
	['2001:30::1', false],
	['2001:1ff::1', false],
	['2001:200::1', true],
	['2001:4860:4860::8888', true],
	['2001:db8::1', false],
	['2002:808:808::', false],
	['2620:4f:8000::1', false],
	['3fff::1', false],
	['3fff:1000::1', true],
	['4000::1', false],
	['5f00::1', false],
	['100::1', false],
	['100:0:0:1::1', false],
	['1::1', false],
	['fe80::1%eth0', false],
	['2606:4700::1111%eth0', true],
	['127.1', false],
	['2002:7f00:1::', false],
	['fc00::1', false],
	['fe80::1', false],
	['ff02::1', false],
	['localhost', false],
	['', false],
])('%s is public: %p', (address, expected) => expect(isPublicAddress(address)).toBe(expected));
