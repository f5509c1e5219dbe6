import { lexer } from './marked.js';
import { element } from './dom.js';

/**
 * Shows Markdown. `marked` reads it, and each of its tokens becomes an element here: no text is ever parsed as HTML, so that HTML
 * in a message is shown as the text that it is.
 */

/** A single line break counts, as in every messenger. */
const OPTIONS = { gfm: true, breaks: true };

const ELEMENTS = { strong: 'strong', em: 'em', del: 'del', blockquote: 'blockquote', paragraph: 'p' };

/** Where a link may lead. Relative ones lead nowhere: the message came from elsewhere. */
const SAFE_LINK = /^(https?|mailto|tel):/i;
const isSafe = (href) => SAFE_LINK.test(href) && URL.canParse(href);

const ENTITY = /&(?:#\d{1,7}|#x[\da-f]{1,6}|[a-z][a-z\d]{1,31});/gi;
/** Markdown may have a sign as a reference, `&amp;`. Only the reference is parsed, never what stands around it. */
const decoded = (text) =>
	text.replace(ENTITY, (entity) => new DOMParser().parseFromString(entity, 'text/html').body.textContent);

function renderLink({ href, raw }, ...children) {
	if (!isSafe(href)) return raw;
	return element('a', { href, target: '_blank', rel: 'noopener noreferrer' }, ...children);
}

const taskMark = ({ task, checked }) => (task ? (checked ? '☑ ' : '☐ ') : null);

function renderList({ ordered, start, items }) {
	const entries = items.map((item) => element('li', {}, taskMark(item), ...renderAll(item.tokens)));
	return ordered ? element('ol', { start: Number(start) || 1 }, ...entries) : element('ul', {}, ...entries);
}

function renderTable({ header, rows }) {
	const row = (tag, cells) =>
		element('tr', {}, ...cells.map(({ tokens }) => element(tag, {}, ...renderAll(tokens))));
	return element(
		'table',
		{},
		element('thead', {}, row('th', header)),
		element('tbody', {}, ...rows.map((cells) => row('td', cells))),
	);
}

function renderToken(token) {
	const tag = ELEMENTS[token.type];
	if (tag) return element(tag, {}, ...renderAll(token.tokens));
	switch (token.type) {
		case 'space':
		case 'def':
		case 'checkbox':
			return null;
		case 'text':
			return token.tokens ? element('span', {}, ...renderAll(token.tokens)) : decoded(token.text);
		case 'escape':
			return token.text;
		case 'br':
		case 'hr':
			return element(token.type);
		case 'heading':
			return element('p', { className: 'heading' }, ...renderAll(token.tokens));
		case 'codespan':
			return element('code', {}, token.text);
		case 'code':
			return element('pre', {}, element('code', {}, token.text));
		case 'link':
			return renderLink(token, ...renderAll(token.tokens));
		case 'image':
			// A picture from elsewhere would tell its owner who looks.
			return renderLink(token, token.text || token.href);
		case 'list':
			return renderList(token);
		case 'table':
			return renderTable(token);
		default:
			return token.raw;
	}
}
const renderAll = (tokens) => tokens.map(renderToken);

/**
 * Makes elements of a text in Markdown.
 *
 * @returns elements and texts, for `element`; the text itself where it cannot be read, as it is nested without end
 */
export function renderMarkdown(text) {
	try {
		return renderAll(lexer(text, OPTIONS));
	} catch {
		return [text];
	}
}

/** The words of a text in Markdown, in one line. */
export function wordsOf(text) {
	const whole = element('div', {}, ...renderMarkdown(text));
	for (const end of whole.querySelectorAll('br, li, p, td, th')) end.append(' ');
	for (const end of whole.querySelectorAll('br')) end.replaceWith(' ');
	return whole.textContent.replace(/\s+/g, ' ').trim();
}
