import { byId, element, notify, setText } from './dom.js';
import { api, conversations, drawWith, hints, isOpen, NEW, render, selected, view } from './state.js';

/** What a person writes as the customer: straight to Dynamics 365, or through the webhook of a workflow. */

/* ------------------------------------------------------------------ how it is sent, which the browser remembers */

const STORED = 'customer';

function stored() {
	try {
		return JSON.parse(localStorage.getItem(STORED)) ?? {};
	} catch {
		return {};
	}
}

/** The value of the header is a secret, so that it is gone with the page. */
const way = { kind: null, url: null, headerName: '', headerValue: '', ...stored() };

function keep(change) {
	Object.assign(way, change);
	const { kind, url, headerName } = way;
	try {
		localStorage.setItem(STORED, JSON.stringify({ kind, url, headerName }));
	} catch {
		// A browser may refuse to remember anything.
	}
	renderCustomer();
}

/** A workflow that is known is offered; otherwise the way that needs none. */
const kindOf = () => way.kind ?? (hints.customerWebhookUrl ? 'webhook' : 'direct');
const urlOf = () => way.url ?? hints.customerWebhookUrl ?? '';

byId('customer-way').onchange = ({ target }) => keep({ kind: target.value });
byId('customer-url').oninput = ({ target }) => keep({ url: target.value });
byId('customer-header-name').oninput = ({ target }) => keep({ headerName: target.value });
byId('customer-header-value').oninput = ({ target }) => keep({ headerValue: target.value });

function setValue(id, value) {
	// The cursor would move.
	if (byId(id).value !== value) byId(id).value = value;
}

function renderWay() {
	const isWebhook = kindOf() === 'webhook';
	byId('customer-way').value = kindOf();
	byId('customer-webhook').hidden = !isWebhook;
	setValue('customer-url', urlOf());
	setValue('customer-header-name', way.headerName);
	setValue('customer-header-value', way.headerValue);
	const { customerWebhookUrl } = hints;
	byId('customer-webhooks').replaceChildren(
		...(customerWebhookUrl ? [element('option', { value: customerWebhookUrl })] : []),
	);
}

/* ------------------------------------------------------------------ a new customer */

const NAMES = ['Kim Berger', 'Sam Okafor', 'Lena Novak', 'Diego Ruiz', 'Mei Tanaka', 'Noor Haddad'];
const idOf = (name) =>
	name
		.toLowerCase()
		.replace(/[^\p{L}\p{N}]+/gu, '-')
		.replace(/^-|-$/g, '');

function fillNewcomer() {
	const taken = new Set([...conversations.values()].map(({ customerId }) => customerId));
	const name = NAMES.find((one) => !taken.has(idOf(one))) ?? `Customer ${taken.size + 1}`;
	byId('newcomer-name').value = name;
	byId('newcomer-id').value = idOf(name);
}
byId('newcomer-name').oninput = ({ target }) => {
	byId('newcomer-id').value = idOf(target.value);
	renderCustomer();
};

for (const id of ['new-customer', 'new-customer-too']) {
	byId(id).onclick = () => {
		fillNewcomer();
		location.hash = NEW;
	};
}
byId('newcomer-back').onclick = () => (location.hash = '');

/** The customer whose first message went through a webhook that did not answer with a conversation. */
let awaited = '';
function followNewcomer() {
	if (!awaited || view.selectedId !== NEW) return;
	const found = [...conversations.values()].find((one) => one.customerId === awaited && isOpen(one));
	if (!found) return;
	awaited = '';
	location.hash = found.id;
}

/* ------------------------------------------------------------------ who writes */

const writer = () => (view.selectedId === NEW ? 'customer' : view.writer);

for (const one of ['representative', 'customer']) {
	byId(`as-${one}`).onclick = () => {
		view.writer = one;
		render();
		byId(one === 'customer' ? 'customer-text' : 'text').focus();
	};
}

/* ------------------------------------------------------------------ what the customer writes */

const drafts = new Map();
function draftOf(id) {
	if (!drafts.has(id)) drafts.set(id, { text: '', error: '', isSending: false });
	return drafts.get(id);
}

function renderCustomer() {
	const conversation = selected();
	const isNew = view.selectedId === NEW;
	const isCustomer = writer() === 'customer';
	byId('newcomer').hidden = !isNew;
	byId('writer').hidden = isNew;
	byId('reply').hidden = isCustomer;
	byId('customer-form').hidden = !isCustomer;
	for (const one of ['representative', 'customer']) {
		byId(`as-${one}`).setAttribute('aria-pressed', String(writer() === one));
	}
	if (isNew && byId('newcomer-name').value === '' && document.activeElement !== byId('newcomer-name'))
		fillNewcomer();
	renderWay();
	if (!view.selectedId) return;
	const { text, error, isSending } = draftOf(view.selectedId);
	const name = conversation?.customer.name ?? byId('newcomer-name').value;
	const isOver = Boolean(conversation) && !isOpen(conversation);
	byId('customer-text').placeholder = isOver
		? `Write as ${name}: it opens a new conversation`
		: `Write as ${name || 'the customer'}`;
	setValue('customer-text', text);
	setText('customer-error', error);
	byId('customer-send').disabled = isSending;
	byId('customer-send').textContent = isSending ? 'Sending …' : 'Send';
	byId('customer-leave').hidden = !conversation || isOver;
	byId('customer-leave').disabled = isSending;
	followNewcomer();
}
drawWith(renderCustomer);

/** What is posted to the desk. The customer of a conversation that is over has the ID and the name, but not the conversation. */
function messageOf(conversation, content) {
	const { kind, url, headerName, headerValue } = { ...way, kind: kindOf(), url: urlOf() };
	const who = conversation
		? { conversationId: conversation.id }
		: { customerId: byId('newcomer-id').value, name: byId('newcomer-name').value };
	return { ...who, ...content, ...(kind === 'webhook' && { url, headerName, headerValue }) };
}

async function send(content) {
	const id = view.selectedId;
	const draft = draftOf(id);
	const message = messageOf(selected(), content);
	const asked = message.customerId?.trim();
	// The text is taken before it is sent, so that a second Enter does not send it again.
	if (content.text) draft.text = '';
	Object.assign(draft, { error: '', isSending: true });
	renderCustomer();
	const answer = await api('POST', `customer/${kindOf()}`, message, (error) => (draft.error = error));
	draft.isSending = false;
	// Something may have been written in the meantime.
	if (!answer && content.text) draft.text = [content.text, draft.text].filter(Boolean).join('\n');
	if (answer && view.selectedId === id && content.text) {
		if (answer.conversationId && answer.conversationId !== id) location.hash = answer.conversationId;
		if (!answer.conversationId && id === NEW) awaited = asked;
		if (id === NEW) view.writer = 'customer';
	}
	if (answer && !answer.conversationId) notify('The workflow took it.');
	renderCustomer();
}

byId('customer-text').oninput = ({ target }) => {
	Object.assign(draftOf(view.selectedId), { text: target.value, error: '' });
	renderCustomer();
};
byId('customer-text').addEventListener('keydown', (event) => {
	if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
	event.preventDefault();
	byId('customer-form').requestSubmit();
});
byId('customer-form').onsubmit = async (event) => {
	event.preventDefault();
	const { text, isSending } = draftOf(view.selectedId);
	if (isSending || !text.trim()) return;
	byId('customer-text').focus();
	await send({ text: text.trim() });
};
byId('customer-leave').onclick = async () => await send({ leaves: true });
