import { lexer, type MarkedToken, type Token, type Tokens } from 'marked';

/** A longer text keeps its Markdown: reading it would take longer than a delivery may. The service's limit is 6,000. */
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

function inline(tokens: Token[] | undefined): string {
	return (tokens ?? []).map((token) => inlineText(token as MarkedToken)).join('');
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

/** What a link says, and where it leads if that is something else. */
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
			return '';
		default:
			return inlineText(token);
	}
}

function blocks(tokens: Token[], separator: string): string {
	return tokens
		.filter(({ type }) => type !== 'space')
		.map((token) => blockText(token as MarkedToken))
		.filter((text) => text !== '')
		.join(separator);
}

/**
 * A text without its Markdown and `<br>`, for channels that show text as it is. Links keep their address, lists their
 * marks; HTML other than `<br>` is not Markdown and stays.
 * Text is Markdown, line breaks may be `<br>`. Source: docs/service-facts.md#text-received.
 */
export function plainTextOf(markdown: string): string {
	const text = markdown.replace(/<br\s*\/?>/gi, '\n');
	if (text.length > MAX_LENGTH) return text;
	try {
		return blocks(lexer(text, { gfm: true, breaks: true }), '\n\n').trim();
	} catch {
		// Quotes within quotes without end exhaust the stack; the message must arrive all the same.
		return text;
	}
}
