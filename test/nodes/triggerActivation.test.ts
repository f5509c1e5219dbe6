import type { IDataObject, INodeTypeDescription } from 'n8n-workflow';
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
	const json = oneNode('dynamics365MessagingTrigger', given.parameters ?? {});
	return await activate({ loader, json, credentials, webhookBaseUrl: `${base}/webhook`, mode: given.mode });
}

test('panel, notice and activation message say which URL to register, and warn of the test URL', () => {
	const { properties, activationMessage, triggerPanel } = loader.nodeTypes.dynamics365MessagingTrigger!.type
		.description as INodeTypeDescription;
	const { displayName } = properties.find(({ name }) => name === 'registerNotice')!;
	for (const text of [displayName, activationMessage, JSON.stringify(triggerPanel)]) {
		expect(text).toMatch(/production URL/i);
		expect(text).toContain('channel');
	}
	expect(JSON.stringify(triggerPanel)).toContain('Do not leave the test URL registered');
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
])('%s cannot be called by Dynamics: activation fails and says what to set', async (base) => {
	const error = await tryIt(base).catch((e: unknown) => e);
	expect(error).toMatchObject({
		message: expect.stringMatching(/^Dynamics 365 cannot call .* Set WEBHOOK_URL of n8n/),
	});
	await expect(tryIt(base, { parameters: { verification: 'none' } })).rejects.toThrow('cannot call');
	await expect(tryIt(base, { mode: 'manual' })).resolves.toBe(true);
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

test.each(['https://localhost:8443', 'https://127.0.0.1:8443'])(
	'a URL on this machine is fine for a service that is on this machine too: %s',
	async (baseUrl) => {
		await expect(tryIt('http://localhost:5678', { baseUrl })).resolves.toBe(true);
		await expect(tryIt('http://localhost:5678', { baseUrl: 'https://proxy.example.com' })).rejects.toThrow(
			'cannot call',
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
