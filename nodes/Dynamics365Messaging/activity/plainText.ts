import { lexer, type MarkedToken, type Token, type Tokens } from 'marked';

/** A longer text keeps its Markdown, as parsing it would delay the answer too long. The service's own limit is 6,000. */
const MAX_LENGTH = 10_000;

const ENTITIES: Record<string, string> = {
	amp: '&',
	lt: '<',
	gt: '>',
	quot: '"',
	'#39': "'",
	apos: "'",
	nbsp: ' ',
};

function decoded(text: string): string {
	return text.replace(/&(amp|lt|gt|quot|#39|apos|nbsp);/g, (_, name: string) => ENTITIES[name] ?? '');
}

/** The text of each token. Without extensions, the lexer gives no other tokens than marked's own. */
function textsOf(tokens: Token[] | undefined, textOf: (token: MarkedToken) => string): string[] {
	return (tokens ?? []).map((token) => textOf(token as MarkedToken));
}

function inline(tokens: Token[] | undefined): string {
	return textsOf(tokens, inlineText).join('');
}

function inlineText(token: MarkedToken): string {
	switch (token.type) {
		case 'br':
			return '\n';
		case 'codespan':
		case 'escape':
			return decoded(token.text);
		case 'image':
			return token.text || token.href;
		case 'link':
			return linkText(inline(token.tokens), token.href);
		case 'strong':
		case 'em':
		case 'del':
			return inline(token.tokens);
		case 'text':
			return token.tokens ? inline(token.tokens) : decoded(token.text);
		default:
			return token.raw;
	}
}

/** A link's text, followed by its address where that is different. */
function linkText(text: string, href: string): string {
	const address = href.replace(/^mailto:/, '');
	return text === '' || text === href || text === address ? address : `${text} (${address})`;
}

function listText({ ordered, start, items }: Tokens.List): string {
	return items
		.map((item, index) => {
			const marker = ordered ? `${Number(start || 1) + index}. ` : '- ';
			return marker + blocks(item.tokens, '\n').replaceAll('\n', `\n${' '.repeat(marker.length)}`);
		})
		.join('\n');
}

function blockText(token: MarkedToken): string {
	switch (token.type) {
		case 'heading':
		case 'paragraph':
			return inline(token.tokens);
		case 'blockquote':
			return blocks(token.tokens, '\n\n');
		case 'list':
			return listText(token);
		case 'code':
			return token.text;
		case 'table':
			return [token.header, ...token.rows]
				.map((row) => row.map((cell) => inline(cell.tokens)).join(' | '))
				.join('\n');
		case 'hr':
		case 'def':
		case 'space':
			return '';
		default:
			return inlineText(token);
	}
}

function blocks(tokens: Token[], separator: string): string {
	return textsOf(tokens, blockText)
		.filter((text) => text !== '')
		.join(separator);
}

/**
 * Removes Markdown and `<br>` from a text, for channels that show plain text. Links keep their address and lists their
 * markers; other HTML stays. Pure. Source: docs/service-facts.md#text-received.
 */
export function plainTextOf(markdown: string): string {
	const text = markdown.replace(/<br\s*\/?>/gi, '\n');
	if (text.length > MAX_LENGTH) return text;
	try {
		return blocks(lexer(text, { gfm: true, breaks: true }), '\n\n').trim();
	} catch {
		// Deeply nested quotes exhaust the stack, but the message must still arrive.
		return text;
	}
}
