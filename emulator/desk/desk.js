'use strict';

/** The agent desk. All text goes into the page through `textContent`; nothing that came from outside is parsed as HTML. */

const byId = (id) => document.getElementById(id);
const conversations = new Map();
const deliveries = new Map();
const calls = new Map();
let selectedId = null;

const CALLS_SHOWN = 100;
const TYPING_SHOWN_MS = 6000;

/** An element with properties and children; strings become text. */
function element(tag, properties = {}, ...children) {
	const made = Object.assign(document.createElement(tag), properties);
	made.append(...children.filter((child) => child !== null && child !== undefined));
	return made;
}

/** Makes a container's children those of the items, in order; keeps the elements it has, and so the focus. */
function show(container, items, keyOf, render) {
	const kept = new Map([...container.children].map((child) => [child.dataset.key, child]));
	items.forEach((item, index) => {
		const key = String(keyOf(item));
		const version = JSON.stringify(item);
		let child = kept.get(key);
		kept.delete(key);
		if (!child || child.version !== version) {
			const fresh = render(item, child);
			if (child && child !== fresh) child.replaceWith(fresh);
			child = fresh;
			child.dataset.key = key;
			child.version = version;
		}
		if (container.children[index] !== child) container.insertBefore(child, container.children[index] ?? null);
	});
	for (const gone of kept.values()) gone.remove();
}

const clock = (iso, withSeconds = false) =>
	new Date(iso).toLocaleTimeString([], {
		hour: '2-digit',
		minute: '2-digit',
		second: withSeconds ? '2-digit' : undefined,
	});

const STATES = { waiting: 'Waiting', active: 'Active', wrapUp: 'Wrap-up', closed: 'Closed' };

/* ------------------------------------------------------------------ talking to the emulator */

let noticeTimer;
function notify(text) {
	const notice = byId('notice');
	notice.textContent = text;
	notice.hidden = false;
	clearTimeout(noticeTimer);
	noticeTimer = setTimeout(() => (notice.hidden = true), 5000);
}

/** Calls the desk's API; tells the user when it refuses. Gives undefined then. */
async function api(method, path, body, tell = notify) {
	try {
		const isForm = body instanceof FormData;
		const response = await fetch(`api/${path}`, {
			method,
			headers: body && !isForm ? { 'Content-Type': 'application/json' } : {},
			body: isForm || body === undefined ? body : JSON.stringify(body),
		});
		const answer = await response.json();
		if (response.ok) return answer;
		tell(answer.error);
	} catch {
		tell('The emulator does not answer. Is it still running?');
	}
	return undefined;
}

/** Does something with the chosen conversation, and shows what became of it at once. */
async function act(action, body = {}, tell = notify) {
	const answer = await api('POST', `conversations/${selectedId}/${action}`, body, tell);
	if (!answer) return false;
	conversations.set(answer.conversation.id, answer.conversation);
	render();
	return true;
}

/* ------------------------------------------------------------------ the list of conversations */

const lastLine = ({ lines }) => lines.findLast(({ who }) => who !== 'system') ?? lines.at(-1);
const lastTime = (conversation) =>
	conversation.lines.at(-1)?.at ?? new Date(conversation.createdAt).toISOString();
const isOpen = ({ state }) => state === 'waiting' || state === 'active';

function previewOf(conversation) {
	const line = lastLine(conversation);
	if (!line) return 'Nothing said yet';
	return line.text || line.attachments?.map(({ name }) => name).join(', ') || '';
}

function renderEntry(conversation) {
	const { customer, id, state } = conversation;
	const button = element(
		'button',
		{ type: 'button', className: isOpen(conversation) ? 'entry' : 'entry over', onclick: () => select(id) },
		element('span', { className: 'avatar', ariaHidden: 'true' }, customer.name.charAt(0).toUpperCase()),
		element('span', { className: 'name' }, customer.name),
		element('time', {}, clock(lastTime(conversation))),
		element('span', { className: 'preview' }, previewOf(conversation)),
		element('span', { className: `state ${state}` }, STATES[state]),
	);
	return element('li', {}, button);
}

function renderList() {
	const sorted = [...conversations.values()].sort(
		(a, b) => Number(isOpen(b)) - Number(isOpen(a)) || lastTime(b).localeCompare(lastTime(a)),
	);
	const list = byId('conversations');
	// Redrawing an entry takes the focus away from its button.
	const focusedKey = list.contains(document.activeElement)
		? document.activeElement.closest('li').dataset.key
		: undefined;
	show(list, sorted, ({ id }) => id, renderEntry);
	for (const child of list.children) {
		const button = child.firstElementChild;
		button.setAttribute('aria-current', String(child.dataset.key === selectedId));
		if (child.dataset.key === focusedKey && document.activeElement !== button) button.focus();
	}
	byId('count').textContent = sorted.length > 0 ? String(sorted.filter(isOpen).length) + ' open' : '';
	document.body.classList.toggle('has-conversations', sorted.length > 0);
}

byId('conversations').addEventListener('keydown', (event) => {
	const step = { ArrowDown: 'nextElementSibling', ArrowUp: 'previousElementSibling' }[event.key];
	const next = step && event.target.closest('li')?.[step]?.firstElementChild;
	if (!next) return;
	event.preventDefault();
	next.focus();
});

/* ------------------------------------------------------------------ the conversation */

/** Files of the emulator come through the desk, whose certificate the browser need not trust. */
function urlOf({ contentUrl }) {
	const url = new URL(contentUrl, location.href);
	if (url.pathname.startsWith('/attachments/') && url.hostname === 'localhost') return url.pathname;
	return /^https?:$/.test(url.protocol) ? url.href : undefined;
}

function renderAttachment(attachment) {
	const url = urlOf(attachment);
	const isPicture = attachment.contentType.startsWith('image/') && url?.startsWith('/');
	const name = element(
		'span',
		{},
		attachment.name,
		element('small', { className: 'muted' }, ` ${attachment.contentType}`),
	);
	const properties = { className: isPicture ? 'attachment picture' : 'attachment' };
	if (!url) return element('span', properties, name);
	const picture = isPicture ? element('img', { src: url, alt: '', onload: stayAtEnd }) : null;
	return element('a', { ...properties, href: url, target: '_blank', rel: 'noreferrer' }, picture, name);
}

function renderLine({ who, name, text, attachments, at, isRead }) {
	if (who === 'system') return element('li', { className: 'line system' }, `${text} · ${clock(at)}`);
	const meta = [name, clock(at), isRead ? 'read' : ''].filter(Boolean).join(' · ');
	return element(
		'li',
		{ className: `line ${who}` },
		text ? element('div', { className: 'bubble' }, text) : null,
		...(attachments ?? []).map(renderAttachment),
		element('span', { className: 'meta' }, meta),
	);
}

function renderContext({ context }) {
	byId('context').replaceChildren(
		...context.map(({ name, value, isDisplayable }) =>
			element(
				'div',
				{ title: isDisplayable ? 'Shown to representatives' : 'Not shown to representatives' },
				element('dt', {}, isDisplayable ? name : `${name} (hidden)`),
				element('dd', {}, String(value)),
			),
		),
	);
}

function renderActions({ state }) {
	const isActive = state === 'active';
	byId('accept').hidden = state !== 'waiting';
	for (const id of ['transfer-queue', 'transfer-agent', 'wrap-up']) byId(id).hidden = !isActive;
	byId('custom-event').hidden = !isOpen({ state });
	byId('close').hidden = state === 'closed';
}

const drafts = new Map();
/** The reply that is being written in a conversation. It stays there when another conversation is chosen. */
function draftOf(id) {
	if (!drafts.has(id)) drafts.set(id, { text: '', files: [], error: '', isSending: false });
	return drafts.get(id);
}

function renderFile({ id, index, name }) {
	const remove = element('button', { type: 'button', ariaLabel: `Take off ${name}`, title: 'Take off' }, '✕');
	remove.onclick = () => {
		draftOf(id).files.splice(index, 1);
		renderChat();
		byId('file').focus();
	};
	return element('li', {}, element('span', {}, name), remove);
}

function renderReply({ id, state }) {
	const { text, files, error, isSending } = draftOf(id);
	const isActive = state === 'active';
	for (const name of ['text', 'file', 'typing']) byId(name).disabled = !isActive;
	byId('send').disabled = !isActive || isSending;
	byId('text').placeholder = isActive
		? 'Reply in Markdown'
		: state === 'waiting'
			? 'Accept the conversation to reply'
			: 'This conversation is over';
	// What is the same is left alone: the cursor would move, and the error would be read out again.
	if (byId('text').value !== text) byId('text').value = text;
	if (byId('reply-error').textContent !== error) byId('reply-error').textContent = error;
	const chosen = files.map(({ name }, index) => ({ id, index, name }));
	show(byId('files'), chosen, ({ index }) => index, renderFile);
}

/** Whether the reader is at the end of the conversation, and so wants to stay there when it grows. */
let isAtEnd = true;
function stayAtEnd() {
	if (isAtEnd) byId('lines').scrollTop = byId('lines').scrollHeight;
}
byId('lines').addEventListener('scroll', ({ target }) => {
	isAtEnd = target.scrollHeight - target.scrollTop - target.clientHeight < 60;
});
new ResizeObserver(stayAtEnd).observe(byId('lines'));

let typingTimer;
function renderTyping({ customer, customerTypedAt, lines }) {
	const typedAt = customerTypedAt ? Date.parse(customerTypedAt) : 0;
	const wrote = lines.findLast(({ who }) => who === 'customer');
	const left = typedAt + TYPING_SHOWN_MS - Date.now();
	const isTyping = left > 0 && (!wrote || Date.parse(wrote.at) < typedAt);
	byId('customer-typing').hidden = !isTyping;
	byId('customer-typing').textContent = `${customer.name} is typing …`;
	clearTimeout(typingTimer);
	if (isTyping) typingTimer = setTimeout(renderChat, left);
}

function renderChat() {
	const conversation = conversations.get(selectedId);
	byId('chat').hidden = !conversation;
	byId('empty').hidden = conversations.size > 0;
	byId('choose').hidden = Boolean(conversation) || conversations.size === 0;
	document.body.dataset.view = conversation ? 'chat' : 'list';
	if (!conversation) return;
	const { customer, id, representative, state } = conversation;
	byId('customer').textContent = customer.name;
	byId('about').textContent = [STATES[state], representative?.name].filter(Boolean).join(' · ');
	byId('contact').textContent = [conversation.customerId, customer.email, customer.phone]
		.filter(Boolean)
		.join(' · ');
	byId('conversation-id').textContent = id;
	renderContext(conversation);
	renderActions(conversation);
	renderReply(conversation);
	renderTyping(conversation);
	const shown = conversation.lines.map((line, index) => ({
		...line,
		index: `${id} ${index}`,
		isRead: line.who === 'representative' && (line.messageId ?? '9') <= (conversation.readUpTo ?? ''),
	}));
	show(byId('lines'), shown, ({ index }) => index, renderLine);
	stayAtEnd();
}

function select(id) {
	selectedId = id;
	byId('notice').hidden = true;
	isAtEnd = true;
	render();
	if (!byId('text').disabled && matchMedia('(min-width: 701px)').matches) byId('text').focus();
}

/* ------------------------------------------------------------------ the wire */

const OUTCOMES = {
	pending: ['open', 'under way'],
	accepted: ['good', 'accepted'],
	refused: ['bad', 'refused'],
	failed: ['bad', 'failed'],
};

/** What an activity is, and a few words of what it says. */
function describeActivity(activity) {
	const name = activity.name ?? activity.Name;
	const attachments = activity.attachments ?? activity.Attachments ?? [];
	const words = [
		activity.text ?? activity.Text,
		...attachments.map((attachment) => attachment.name ?? attachment.Name),
	];
	return {
		title: name ?? activity.type ?? activity.Type ?? 'activity',
		excerpt: name ? '' : words.filter(Boolean).join(' · '),
	};
}

/** An entry that can be opened; stays open when it is drawn again. */
function renderCard(before, { title, excerpt, outcome, word, time, note, json }) {
	return element(
		'li',
		{},
		element(
			'details',
			{ open: before?.firstElementChild.open ?? false },
			element(
				'summary',
				{},
				element('span', { className: 'title' }, title),
				element('span', { className: `outcome ${outcome}` }, word),
				excerpt ? element('span', { className: 'excerpt' }, excerpt) : null,
				element('span', { className: 'tries' }, [clock(time, true), note].filter(Boolean).join(' · ')),
			),
			element('pre', {}, JSON.stringify(json, null, 2)),
		),
	);
}

function renderDelivery({ activity, at, outcome, tries, url }, before) {
	const [tone, word] = OUTCOMES[outcome];
	const said = tries.map(({ status, error, ms }) => `${status ?? error} in ${ms} ms`);
	const note = outcome !== 'pending' && !url ? 'no webhook URL is set' : said.join(', ');
	return renderCard(before, {
		...describeActivity(activity),
		outcome: tone,
		word,
		time: at,
		note,
		json: activity,
	});
}

function renderCall({ at, ...call }, before) {
	const isToken = call.kind === 'token';
	const path = isToken ? call.tenant : `${call.method} ${call.path.replace('/api/v1.0/consumer', '')}`;
	const type = call.operationId === 'sendActivity' && call.body?.type ? ` · ${call.body.type}` : '';
	const code = call.errorCode ? `${isToken ? 'AADSTS' : ''}${call.errorCode}` : '';
	const wrong = (call.contractErrors ?? []).map(({ detail }) => detail);
	return renderCard(before, {
		title: isToken ? 'access token' : (call.operationId ?? 'unknown call') + type,
		excerpt: path,
		outcome: call.status >= 200 && call.status < 300 ? 'good' : 'bad',
		word: call.status === 0 ? 'cut' : String(call.status),
		time: at,
		note: [code, wrong[0]].filter(Boolean).join(' · '),
		json: call,
	});
}

function renderWire() {
	const isCalls = byId('tab-calls').ariaPressed === 'true';
	const ofConversation = [...deliveries.values()]
		.filter(({ conversationId }) => conversationId === selectedId)
		.reverse();
	const latest = [...calls.values()].reverse().slice(0, CALLS_SHOWN);
	byId('deliveries').hidden = isCalls;
	byId('calls').hidden = !isCalls;
	show(byId('deliveries'), ofConversation, ({ seq }) => seq, renderDelivery);
	show(byId('calls'), latest, ({ seq }) => seq, renderCall);
	const isEmpty = isCalls ? latest.length === 0 : ofConversation.length === 0;
	byId('wire-empty').hidden = !isEmpty;
	byId('wire-empty').textContent = isCalls
		? 'Calls of the Messaging API and requests for tokens appear here.'
		: selectedId
			? 'Nothing was delivered for this conversation yet.'
			: 'What is delivered to the webhook appears here.';
}

for (const tab of ['tab-deliveries', 'tab-calls']) {
	byId(tab).addEventListener('click', () => {
		for (const other of ['tab-deliveries', 'tab-calls']) byId(other).ariaPressed = String(other === tab);
		renderWire();
	});
}

/* ------------------------------------------------------------------ what the representative does */

byId('accept').onclick = async () => {
	if (await act('accept')) byId('text').focus();
};
byId('typing').onclick = () => act('typing');
byId('transfer-queue').onclick = () => act('transfer', { to: 'queue' });
byId('transfer-agent').onclick = () => act('transfer', { to: 'agent' });
byId('wrap-up').onclick = () => act('wrap-up');
byId('close').onclick = () => act('close');
byId('back').onclick = () => select(null);

byId('text').oninput = ({ target }) => {
	draftOf(selectedId).text = target.value;
	draftOf(selectedId).error = '';
	renderChat();
};
byId('file').onchange = ({ target }) => {
	draftOf(selectedId).files.push(...target.files);
	// The input only chooses; emptied, it tells of the same file again after that was taken off.
	target.value = '';
	renderChat();
};
byId('text').addEventListener('keydown', (event) => {
	if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
	event.preventDefault();
	byId('reply').requestSubmit();
});
byId('reply').onsubmit = async (event) => {
	event.preventDefault();
	const draft = draftOf(selectedId);
	const { text, files } = draft;
	if (draft.isSending || (!text.trim() && files.length === 0)) return;
	const form = new FormData();
	form.set('text', text.trim());
	for (const file of files) form.append('file', file);
	// Taken before it is sent, so that a second Enter finds nothing to send again.
	Object.assign(draft, { text: '', files: [], error: '', isSending: true });
	byId('text').focus();
	renderChat();
	const isSent = await act('reply', form, (error) => (draft.error = `Not sent. ${error}`));
	if (!isSent) {
		// Something may have been written in the meantime.
		draft.text = [text, draft.text].filter(Boolean).join('\n');
		draft.files.unshift(...files);
	}
	draft.isSending = false;
	renderChat();
};

byId('custom-event').onclick = () => {
	byId('event-error').textContent = '';
	byId('event').showModal();
};
byId('event-cancel').onclick = () => byId('event').close();
byId('event-form').onsubmit = async (event) => {
	event.preventDefault();
	let value;
	try {
		value = JSON.parse(byId('event-value').value);
	} catch (error) {
		byId('event-error').textContent = `This is not JSON: ${error.message}`;
		return;
	}
	byId('event-send').disabled = true;
	// The dialog lies over the notice.
	const tell = (error) => (byId('event-error').textContent = error);
	if (await act('custom-event', { name: byId('event-name').value, value }, tell)) byId('event').close();
	byId('event-send').disabled = false;
};

/* ------------------------------------------------------------------ the channel and the credential */

byId('webhook').onsubmit = async (event) => {
	event.preventDefault();
	const saved = await api('PUT', 'channel', { webhookUrl: byId('webhook-url').value.trim() || null });
	if (saved)
		notify(saved.webhookUrl ? 'Activities are delivered there from now on.' : 'Nothing is delivered now.');
};

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

function renderWorld(world) {
	byId('channel-name').textContent = world.channelName;
	byId('world').replaceChildren(
		...Object.entries(WORLD_NAMES).map(([key, name]) => {
			const copy = element('button', { type: 'button', ariaLabel: `Copy ${name}` }, 'Copy');
			copy.onclick = async () => {
				await navigator.clipboard.writeText(world[key]);
				copy.textContent = 'Copied';
				setTimeout(() => (copy.textContent = 'Copy'), 1500);
			};
			return element(
				'div',
				{},
				element('dt', {}, name),
				element('dd', { className: 'mono' }, world[key]),
				copy,
			);
		}),
	);
}
for (const id of ['show-credential', 'show-credential-too', 'show-credential-chat']) {
	byId(id).onclick = () => byId('credential').showModal();
}

/* ------------------------------------------------------------------ keeping up with the emulator */

function render() {
	renderList();
	renderChat();
	renderWire();
}

let isRefreshing = false;
let isStale = false;
/** Reads the conversations; what changes meanwhile is read once more afterwards. */
async function refresh() {
	isStale = true;
	if (isRefreshing) return;
	isRefreshing = true;
	while (isStale) {
		isStale = false;
		const all = await api('GET', 'conversations');
		if (!all) break;
		conversations.clear();
		for (const conversation of all) conversations.set(conversation.id, conversation);
		render();
	}
	isRefreshing = false;
}

let refreshTimer;
function takeEntry(entry) {
	if (entry.kind === 'delivery') deliveries.set(entry.seq, entry);
	if (entry.kind === 'request' || entry.kind === 'token') calls.set(entry.seq, entry);
	if (entry.kind === 'desk' && entry.action === 'webhookUrl') readChannel();
	// Entries come in bursts, at the start above all.
	clearTimeout(refreshTimer);
	refreshTimer = setTimeout(refresh, 30);
}

async function readChannel() {
	const channel = await api('GET', 'channel');
	if (channel && document.activeElement !== byId('webhook-url')) {
		byId('webhook-url').value = channel.webhookUrl ?? '';
	}
}

function follow() {
	const live = byId('live');
	const source = new EventSource('api/events');
	// The stream begins with the whole log, also after a restart of the emulator.
	source.addEventListener('start', async () => {
		deliveries.clear();
		calls.clear();
		live.textContent = 'live';
		live.classList.add('on');
		await readChannel();
		await refresh();
	});
	source.onmessage = ({ data }) => takeEntry(JSON.parse(data));
	source.onerror = () => {
		live.textContent = 'reconnecting';
		live.classList.remove('on');
	};
}

api('GET', 'world').then((world) => world && renderWorld(world));
render();
follow();
