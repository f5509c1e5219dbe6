import { byId, clock, element, hideNotice, setText, show } from './dom.js';
import { renderMarkdown } from './markdown.js';
import { act, conversations, drawWith, isOpen, NEW, render, selected, STATES, view } from './state.js';

/** The chosen conversation, and the actions of its representative. */

const TYPING_SHOWN_MS = 6000;

/* ------------------------------------------------------------------ its lines */

/** Loads the emulator's files through the desk, because the browser may not trust the emulator's certificate. */
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

/** A card as the channel gets it: only the channel knows how to show it. */
function renderCard({ contentType, content }) {
	const kind = contentType.replace(/^application\/vnd\.microsoft\.card\./, '');
	return element(
		'details',
		{ className: 'attachment' },
		element('summary', {}, content.title ?? 'A card', element('small', { className: 'muted' }, ` ${kind}`)),
		element('pre', {}, JSON.stringify(content, null, 2)),
	);
}

/** What the customer can choose. The buttons are the channel's, so that nothing can be clicked here. */
function renderChoices(buttons) {
	const choices = buttons.map(({ title }) => element('li', {}, title));
	return element('ul', { className: 'choices', ariaLabel: 'Quick replies' }, ...choices);
}

/** Messages are in Markdown, unless they are plain. */
function renderText(text, isPlain) {
	if (isPlain) return element('div', { className: 'bubble' }, text);
	return element('div', { className: 'bubble markdown' }, ...renderMarkdown(text));
}

function renderLine({ who, name, text, isPlain, attachments, cards, buttons, at, isPrivate, isRead }) {
	if (who === 'system') return element('li', { className: 'line system' }, `${text} · ${clock(at)}`);
	const meta = [name, clock(at), isPrivate ? 'private' : '', isRead ? 'read' : '']
		.filter(Boolean)
		.join(' · ');
	return element(
		'li',
		{ className: `line ${who}` },
		text ? renderText(text, isPlain) : null,
		...(attachments ?? []).map(renderAttachment),
		...(cards ?? []).map(renderCard),
		buttons ? renderChoices(buttons) : null,
		element('span', { className: 'meta' }, meta),
	);
}

/** The scroll position of each conversation; null at its end, where it stays when messages are added. */
const places = new Map();
const isAtEnd = () => (places.get(view.selectedId) ?? null) === null;
function stayAtEnd() {
	const lines = byId('lines');
	lines.scrollTop = isAtEnd() ? lines.scrollHeight : places.get(view.selectedId);
	byId('to-end').hidden = isAtEnd();
}
byId('lines').addEventListener('scroll', ({ target }) => {
	const isNear = target.scrollHeight - target.scrollTop - target.clientHeight < 60;
	places.set(view.selectedId, isNear ? null : target.scrollTop);
	byId('to-end').hidden = isNear;
});
byId('to-end').onclick = () => {
	places.set(view.selectedId, null);
	stayAtEnd();
	byId('lines').focus();
};
new ResizeObserver(stayAtEnd).observe(byId('lines'));

let typingTimer;
function renderTyping({ customer, customerTypedAt, lines }) {
	const typedAt = customerTypedAt ? Date.parse(customerTypedAt) : 0;
	const wrote = lines.findLast(({ who }) => who === 'customer');
	const left = typedAt + TYPING_SHOWN_MS - Date.now();
	const isTyping = left > 0 && (!wrote || Date.parse(wrote.at) < typedAt);
	byId('customer-typing').hidden = !isTyping;
	setText('customer-typing', `${customer.name} is typing …`);
	clearTimeout(typingTimer);
	if (isTyping) typingTimer = setTimeout(renderChat, left);
}

/* ------------------------------------------------------------------ what is around them */

function renderContext({ context }) {
	show(
		byId('context'),
		context,
		({ name }) => name,
		({ name, value, isDisplayable }) =>
			element(
				'div',
				{ title: isDisplayable ? 'Shown to representatives' : 'Not shown to representatives' },
				element('dt', {}, isDisplayable ? name : `${name} (hidden)`),
				element('dd', {}, String(value)),
			),
	);
}

function renderActions({ state }) {
	const isActive = state === 'active';
	for (const id of ['accept', 'out-of-hours']) byId(id).hidden = state !== 'waiting';
	for (const id of ['transfer-queue', 'transfer-agent', 'wrap-up']) byId(id).hidden = !isActive;
	byId('custom-event').hidden = !isOpen({ state });
	byId('close').hidden = state === 'closed';
}

const drafts = new Map();
/**
 * The reply that is being written in a conversation. It stays there when another conversation is chosen. Its buttons are null
 * until they are wanted.
 */
function draftOf(id) {
	if (!drafts.has(id)) {
		drafts.set(id, { text: '', isPlain: false, buttons: null, files: [], error: '', isSending: false });
	}
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

const PLACEHOLDERS = { active: 'Reply (Markdown is allowed)', waiting: 'Accept the conversation to reply' };

function renderReply({ id, state }) {
	const { text, isPlain, buttons, files, error, isSending } = draftOf(id);
	const isActive = state === 'active';
	for (const name of ['text', 'plain', 'buttons', 'add-buttons', 'file', 'typing']) {
		byId(name).disabled = !isActive;
	}
	byId('plain').checked = isPlain;
	byId('send').disabled = !isActive || isSending;
	byId('text').placeholder = PLACEHOLDERS[state] ?? 'This conversation is over';
	// The cursor would move.
	if (byId('text').value !== text) byId('text').value = text;
	byId('quick-replies').hidden = buttons === null;
	byId('add-buttons').ariaExpanded = String(buttons !== null);
	if (byId('buttons').value !== (buttons ?? '')) byId('buttons').value = buttons ?? '';
	setText('reply-error', error);
	const chosen = files.map(({ name }, index) => ({ id, index, name }));
	show(byId('files'), chosen, ({ index }) => index, renderFile);
}

/** A customer who has not written yet has no lines, and nothing around them. */
function renderNothing() {
	for (const id of ['lines', 'context']) byId(id).replaceChildren();
	byId('customer-typing').hidden = true;
	byId('to-end').hidden = true;
}

function renderChat() {
	const conversation = selected();
	const isNew = view.selectedId === NEW;
	const isChat = Boolean(conversation) || isNew;
	byId('chat').hidden = !isChat;
	byId('chat-head').hidden = isNew;
	byId('empty').hidden = isNew || conversations.size > 0;
	byId('choose').hidden = isChat || conversations.size === 0;
	document.body.dataset.view = isChat ? 'chat' : 'list';
	if (isNew) renderNothing();
	if (!conversation) return;
	const { channel, customer, id, lines, readUpTo, representative, state } = conversation;
	setText('customer', customer.name);
	const other = channel.isOwn ? '' : `Channel ${channel.name}`;
	setText('about', [STATES[state], representative?.name, other].filter(Boolean).join(' · '));
	setText('contact', [conversation.customerId, customer.email, customer.phone].filter(Boolean).join(' · '));
	setText('conversation-id', id);
	renderContext(conversation);
	renderActions(conversation);
	renderReply(conversation);
	renderTyping(conversation);
	const shown = lines.map((line, index) => ({
		...line,
		index: `${id} ${index}`,
		isRead: line.who === 'representative' && !line.isPrivate && (line.messageId ?? '9') <= (readUpTo ?? ''),
	}));
	show(byId('lines'), shown, ({ index }) => index, renderLine);
	stayAtEnd();
}
drawWith(renderChat);

/** Chooses the conversation that the address names, if there is one. */
function followAddress() {
	view.selectedId = location.hash.slice(1) || null;
	view.pane = 'talk';
	hideNotice();
	render();
	const isWide = matchMedia('(min-width: 701px)').matches;
	const field = view.selectedId === NEW || view.writer === 'customer' ? 'customer-text' : 'text';
	if ((selected() || view.selectedId === NEW) && isWide && !byId(field).disabled) byId(field).focus();
}
addEventListener('hashchange', followAddress);
view.selectedId = location.hash.slice(1) || null;

/* ------------------------------------------------------------------ what the representative does */

/** Moves the focus of keyboard users to the reply when the button that they used disappears. */
const focusReply = () => byId(byId('text').disabled ? 'lines' : 'text').focus();
const actAt = (id, action, body) => {
	byId(id).onclick = async () => {
		if ((await act(action, body)) && byId(id).hidden) focusReply();
	};
};
byId('accept').onclick = async () => {
	if (!(await act('accept'))) return;
	// Whoever accepts answers next, also where they wrote as the customer before.
	view.writer = 'representative';
	render();
	focusReply();
};
actAt('typing', 'typing');
actAt('transfer-queue', 'transfer', { to: 'queue' });
actAt('transfer-agent', 'transfer', { to: 'agent' });
actAt('out-of-hours', 'out-of-hours');
actAt('wrap-up', 'wrap-up');
actAt('close', 'close');
byId('back').onclick = () => {
	const id = view.selectedId;
	location.hash = '';
	// The event of the new address comes later; the button has gone by then, and its focus with it.
	followAddress();
	document.querySelector(`#conversations [data-key="${CSS.escape(id)}"] button`)?.focus();
};

byId('text').oninput = ({ target }) => {
	draftOf(view.selectedId).text = target.value;
	draftOf(view.selectedId).error = '';
	renderChat();
};
byId('plain').onchange = ({ target }) => (draftOf(view.selectedId).isPlain = target.checked);
byId('buttons').oninput = ({ target }) => (draftOf(view.selectedId).buttons = target.value);
byId('add-buttons').onclick = () => {
	const draft = draftOf(view.selectedId);
	draft.buttons = draft.buttons === null ? '' : null;
	renderChat();
	byId(draft.buttons === null ? 'text' : 'buttons').focus();
};
byId('file').onchange = ({ target }) => {
	draftOf(view.selectedId).files.push(...target.files);
	// The input is emptied, so that it reports a file again that was removed.
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
	const draft = draftOf(view.selectedId);
	const { text, isPlain, buttons, files } = draft;
	if (draft.isSending || (!text.trim() && files.length === 0)) return;
	const form = new FormData();
	form.set('text', text.trim());
	form.set('textFormat', isPlain ? 'plain' : 'markdown');
	form.set('buttons', buttons ?? '');
	for (const file of files) form.append('file', file);
	// The text is taken before it is sent, so that a second Enter does not send it again.
	Object.assign(draft, { text: '', buttons: null, files: [], error: '', isSending: true });
	places.set(view.selectedId, null);
	byId('text').focus();
	renderChat();
	const isSent = await act('reply', form, (error) => (draft.error = `Not sent. ${error}`));
	if (!isSent) {
		// Something may have been written in the meantime.
		draft.text = [text, draft.text].filter(Boolean).join('\n');
		draft.files.unshift(...files);
		draft.buttons ??= buttons;
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
