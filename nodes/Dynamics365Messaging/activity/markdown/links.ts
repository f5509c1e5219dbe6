import { decodeTarget } from './references';

/** Where a link leads, and where it ends in the source. */
export interface Target {
	address: string;
	/** What is shown where a mouse rests on the link; '' where there is nothing. */
	title: string;
	end: number;
}

/** The targets of links that stand apart from them: `[label]: https://… "title"`. */
export interface Definitions {
	/** The target of a label, which is used from then on; undefined where there is none. */
	use: (label: string) => Omit<Target, 'end'> | undefined;
}

/** White space with at most one line break, at the regular expression's `lastIndex`. */
const GAP = /[ \t]*\n?[ \t]*/y;
const IN_BRACKETS = /<((?:[^<>\n\\]|\\[^])*)>/y;
const TITLE = /"(?:[^"\\]|\\[^])*"|'(?:[^'\\]|\\[^])*'|\((?:[^()\\]|\\[^])*\)/y;
const LABEL = /\[((?:[^[\]\\]|\\[^]){0,999})\]/y;

/** CommonMark reads no more parentheses within each other. It is what bounds the work, too. */
const MAX_PARENTHESES = 32;

/** The end of what an expression matches at a position; undefined where it does not match there. */
export function endOf(expression: RegExp, text: string, position: number): number | undefined {
	expression.lastIndex = position;
	return expression.test(text) ? expression.lastIndex : undefined;
}

/** The end of an address without brackets: at white space, or at a parenthesis that was not opened in it. */
function addressEnd(source: string, start: number): number | undefined {
	let depth = 0;
	let position = start;
	for (; position < source.length; position++) {
		const character = source.charAt(position);
		if (character <= ' ') break;
		if (character === '\\') position++;
		else if (character === '(' && ++depth > MAX_PARENTHESES) return undefined;
		else if (character === ')' && --depth < 0) break;
	}
	return depth > 0 ? undefined : position;
}

/** Reads `(address "title")`. @param start where the parenthesis should be. */
export function inlineTarget(source: string, start: number): Target | undefined {
	if (source.charAt(start) !== '(') return undefined;
	const from = endOf(GAP, source, start + 1) ?? start + 1;
	const bracketed = source.charAt(from) === '<' ? endOf(IN_BRACKETS, source, from) : undefined;
	const to = bracketed ?? addressEnd(source, from);
	if (to === undefined) return undefined;
	const address = bracketed === undefined ? source.slice(from, to) : source.slice(from + 1, to - 1);
	let end = endOf(GAP, source, to) ?? to;
	const titleEnd = end > to ? endOf(TITLE, source, end) : undefined;
	const title = titleEnd === undefined ? '' : source.slice(end + 1, titleEnd - 1);
	if (titleEnd !== undefined) end = endOf(GAP, source, titleEnd) ?? titleEnd;
	if (source.charAt(end) !== ')') return undefined;
	return { address: decodeTarget(address), title: decodeTarget(title), end: end + 1 };
}

/**
 * Reads `[label]` or `[]` behind a text in brackets, or takes that text as the label.
 * @param text undefined where the text in brackets cannot be a label, as it has brackets itself.
 */
export function definedTarget(
	source: string,
	start: number,
	text: string | undefined,
	definitions: Definitions,
): Target | undefined {
	LABEL.lastIndex = start;
	const [whole = '', label = ''] = LABEL.exec(source) ?? [];
	const wanted = label === '' ? text : label;
	const target = wanted === undefined ? undefined : definitions.use(wanted);
	return target && { ...target, end: start + whole.length };
}

/** A character of an address has so many signs where it is encoded. */
const MAX_ENCODED = 12;
const SCHEME_LENGTH = 'https://www.'.length;

/** What two spellings of an address have in common, as people write it and as a link has it. */
function spelledAlike(address: string): string {
	const short = address
		.trim()
		.replace(/^(?:https?:\/\/)?(?:www\.)?/i, '')
		.replace(/\/$/, '')
		.toLowerCase();
	try {
		return decodeURI(short);
	} catch {
		return short;
	}
}

/** Whether a text is the telephone number of an address, in whatever groups. */
function isNumberOf(text: string, address: string): boolean {
	const [, number] = /^(?:tel|sms):([^;?]+)$/i.exec(address) ?? [];
	const digits = (phone: string) => phone.replace(/[\s()./-]/g, '');
	return number !== undefined && digits(text) === digits(number);
}

/**
 * What a link's text and address are together: each address stands once.
 * @returns `text` for the text alone, `address` for the address alone, `both` for the text and the address behind it.
 */
export function shownOf(text: string, address: string): 'text' | 'address' | 'both' {
	if (address === '' || text === address) return 'text';
	if (text.trim() === '') return 'address';
	// A text that is far longer is no spelling of the address. It bounds the work where links stand within each other.
	if (text.length > MAX_ENCODED * address.length + SCHEME_LENGTH) return 'both';
	if (isNumberOf(text, address)) return 'text';
	return spelledAlike(text) === spelledAlike(address) ? 'address' : 'both';
}

/** Without `mailto:`, as people write an e-mail address. */
export function readable(address: string): string {
	return address.replace(/^mailto:/i, '');
}
