import { byId, clock, element, setText, show } from './dom.js';
import { wordsOf } from './markdown.js';
import { conversations, drawWith, isOpen, STATES, view } from './state.js';

/** The list of conversations: open ones first, then by their last line. */

const lastLine = ({ lines }) => lines.findLast(({ who }) => who !== 'system') ?? lines.at(-1);
const lastTime = (conversation) =>
	conversation.lines.at(-1)?.at ?? new Date(conversation.createdAt).toISOString();

function previewOf(conversation) {
	const line = lastLine(conversation);
	if (!line) return 'Nothing said yet';
	const files = (line.attachments ?? []).map(({ name }) => name);
	const cards = (line.cards ?? []).map(({ content }) => content.title ?? 'A card');
	if (!line.text) return [...files, ...cards].join(', ');
	return line.isPlain || line.who === 'system' ? line.text : wordsOf(line.text);
}

function renderEntry(conversation) {
	const { customer, id, state } = conversation;
	// The address leads to the conversation, see chat.js; so does the browser's way back from it.
	const onclick = () => (location.hash = id);
	const button = element(
		'button',
		{ type: 'button', className: isOpen(conversation) ? 'entry' : 'entry over', onclick },
		element('span', { className: 'avatar', ariaHidden: 'true' }, customer.name.charAt(0).toUpperCase()),
		element('span', { className: 'name' }, customer.name),
		element('time', {}, clock(lastTime(conversation))),
		element('span', { className: 'preview' }, previewOf(conversation)),
		element('span', { className: `state ${state}` }, STATES[state]),
	);
	return element('li', {}, button);
}

drawWith(() => {
	const all = [...conversations.values()];
	const sorted = all.sort(
		(a, b) => Number(isOpen(b)) - Number(isOpen(a)) || lastTime(b).localeCompare(lastTime(a)),
	);
	show(byId('conversations'), sorted, ({ id }) => id, renderEntry);
	for (const { dataset, firstElementChild } of byId('conversations').children) {
		firstElementChild.setAttribute('aria-current', String(dataset.key === view.selectedId));
	}
	const waiting = all.filter(({ state }) => state === 'waiting').length;
	setText('count', all.length > 0 ? `${all.filter(isOpen).length} open` : '');
	document.title = waiting > 0 ? `(${waiting}) Agent desk` : 'Agent desk';
	document.body.classList.toggle('has-conversations', all.length > 0);
});

byId('conversations').addEventListener('keydown', (event) => {
	const step = { ArrowDown: 'nextElementSibling', ArrowUp: 'previousElementSibling' }[event.key];
	const next = step && event.target.closest('li')?.[step]?.firstElementChild;
	if (!next) return;
	event.preventDefault();
	next.focus();
});
