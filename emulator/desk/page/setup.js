import { byId, element, notify } from './dom.js';
import { api } from './state.js';

/** The webhook URL of the channel, and the values for the n8n credential. */

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

/** The fields of the n8n credential, as it names and orders them. */
const WORLD_NAMES = {
	tenantId: 'Tenant ID',
	clientId: 'Client ID',
	clientSecret: 'Client Secret',
	organizationId: 'Organization ID',
	geo: 'Geo',
	channelId: 'Channel ID',
	baseUrl: 'Base URL',
	authorityHost: 'Authority Host',
};

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
	const fields = Object.entries(WORLD_NAMES).map(([key, name]) => renderField(name, world[key]));
	byId('world').replaceChildren(...fields);
}

for (const id of ['show-credential', 'show-credential-too']) {
	byId(id).onclick = () => byId('credential').showModal();
}
