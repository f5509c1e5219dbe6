import { byId, element, notify } from './dom.js';
import { api, hints, render } from './state.js';

/** The webhook URL of the channel, and the values for the credentials of n8n. */

byId('webhook').onsubmit = async (event) => {
	event.preventDefault();
	const saved = await api('PUT', 'channel', { webhookUrl: byId('webhook-url').value.trim() || null });
	if (saved)
		notify(saved.webhookUrl ? 'Activities are delivered there from now on.' : 'Nothing is delivered now.');
};

let savedUrl = '';
/** Reads the webhook URL again, unless a person is typing one. */
export async function readChannel() {
	const channel = await api('GET', 'channel');
	if (!channel) return;
	const input = byId('webhook-url');
	if (document.activeElement !== input && input.value === savedUrl) input.value = channel.webhookUrl ?? '';
	savedUrl = channel.webhookUrl ?? '';
}

/** The fields of n8n's credential, as it names and orders them. */
const WORLD_NAMES = {
	tenantId: 'Tenant ID',
	clientId: 'Client ID',
	clientSecret: 'Client Secret',
	organizationId: 'Organization ID',
	geo: 'Geo',
	channelId: 'Channel ID',
	environmentUrl: 'Environment URL',
	baseUrl: 'Base URL',
	authorityHost: 'Authority Host',
};

/** Those of Azure Communication Services; the last two are for the node. */
const COMMUNICATION_NAMES = {
	endpoint: 'Endpoint',
	accessKey: 'Access Key',
	userToken: 'User Access Token',
	channelId: 'Channel ID',
	conversationId: 'Conversation ID',
};

const fieldsOf = (names, values) =>
	Object.entries(names).map(([key, name]) => renderField(name, values[key]));

function renderField(name, value) {
	const copy = element('button', { type: 'button', ariaLabel: `Copy ${name}` }, 'Copy');
	copy.onclick = async () => {
		await navigator.clipboard.writeText(value);
		copy.textContent = 'Copied';
		setTimeout(() => (copy.textContent = 'Copy'), 1500);
	};
	return element('div', {}, element('dt', {}, name), element('dd', { className: 'mono' }, value), copy);
}

export async function readWorld() {
	const world = await api('GET', 'world');
	if (!world) return;
	byId('channel-name').textContent = world.channelName;
	byId('webhook-label').textContent = `Webhook of ${world.channelName}`;
	byId('world').replaceChildren(...fieldsOf(WORLD_NAMES, world));
	byId('world-communication').replaceChildren(...fieldsOf(COMMUNICATION_NAMES, world.communication));
	const file = world.certificateFile ?? '/path/to/certificate.pem';
	const command = `NODE_EXTRA_CA_CERTS=${file} n8n start`;
	byId('world-trust').replaceChildren(renderField('Command', command));
	hints.customerWebhookUrl = world.customerWebhookUrl;
	render();
}

for (const id of ['show-credential', 'show-credential-too']) {
	byId(id).onclick = () => byId('credential').showModal();
}
