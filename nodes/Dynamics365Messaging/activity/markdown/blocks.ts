import { inlineText } from './inline';
import type { Definitions } from './links';
import { decodeReferences, decodeTarget, isSeen } from './references';

/** A line, in two parts: what stands before its text (the indent and the marker of a list), and its text. */
interface Line {
	prefix: string;
	text: string;
}

type Block =
	/** Given out as it is. */
	| { kind: 'verbatim'; line: string }
	/** Nothing, or what separates two blocks. */
	| { kind: 'blank' }
	| { kind: 'paragraph'; lines: Line[] }
	| { kind: 'heading'; line: Line; source: string }
	| { kind: 'row'; line: Line }
	| { kind: 'definition'; label: string; target: DefinedTarget; source: string };

type DefinedTarget = NonNullable<ReturnType<Definitions['use']>>;

/** What a line can stand in: a quote, or an item of a list, whose lines are indented by so many columns. */
type Container = 'quote' | number;

/** What the lines that follow may belong to. */
type Leaf =
	| { kind: 'paragraph'; lines: Line[] }
	| { kind: 'table' }
	| { kind: 'fence'; mark: string }
	| { kind: 'html'; end: RegExp };

/** No text is nested deeper. What is, is text. It bounds the work for each line. */
const MAX_DEPTH = 100;
const TAB_WIDTH = 4;
/** How many characters are put behind links from where they stand apart. The same long address could stand behind each. */
const MAX_DEFINED = 20_000;

/** What a block that is no paragraph begins with, to look no further in most lines. */
const SIGN = /^ {0,3}[`~#*_<[-]/;
const FENCE = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})[ \t]*(.*)$/;
const RULE = /^ {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$/;
const HEADING = /^ {0,3}#{1,6}(?:[ \t]+|$)/;
/** One sign alone may be what somebody wrote. */
const UNDERLINE = /^ {0,3}(?:={2,}|-{2,})[ \t]*$/;
/** Before a number, or in a smiley, it is a sign that somebody wrote. */
const QUOTE = /^ {0,3}>(?![\d=]|[._]<) ?/;
const ITEM = /^ {0,3}([-+*]|(\d{1,9})[.)])(?=[ \t]|$)/;
const TASK_BOX = /^\[[ xX]\](?=[ \t])/;
const DEFINITION =
	/^ {0,3}\[((?!\^)(?:[^[\]\\]|\\.){1,999})\]:[ \t]*(<[^<>]*>|[^\s<]\S*)(?:[ \t]+("[^"]*"|'[^']*'|\([^()]*\)))?[ \t]*$/;
/** HTML in which Markdown is not read, and what ends it. Source: the blocks of HTML in CommonMark. */
const HTML: ReadonlyArray<[start: RegExp, end: RegExp]> = [
	[/^ {0,3}<(?:script|pre|style|textarea)(?=[\s>]|$)/i, /<\/(?:script|pre|style|textarea)>/i],
	[/^ {0,3}<!--/, /-->/],
	[
		/^ {0,3}<\/?(?:address|article|aside|blockquote|body|center|dd|details|div|dl|dt|fieldset|figure|footer|form|h[1-6]|header|hr|html|iframe|li|main|nav|ol|p|section|summary|table|tbody|td|tfoot|th|thead|tr|ul)(?=[\s/>]|$)/i,
		/^\s*$/,
	],
];

const isBlank = (text: string) => text.trim() === '';

/** How many columns a text is indented by. */
function indentOf(text: string): number {
	let columns = 0;
	for (const character of text) {
		if (character === ' ') columns++;
		else if (character === '\t') columns += TAB_WIDTH - (columns % TAB_WIDTH);
		else break;
	}
	return columns;
}

/** How many characters of a text's indent make so many columns. */
function lengthOfIndent(text: string, columns: number): number {
	let length = 0;
	while (length < text.length && indentOf(text.slice(0, length)) < columns) length++;
	return length;
}

/** The cells of a table's row; a `\|` is a sign in a cell. */
function cellsOf(row: string): string[] {
	const cells = row
		.trim()
		.split(/(?<!\\)\|/)
		.map((cell) => cell.trim().replaceAll('\\|', '|'));
	if (cells.length > 1 && cells[0] === '') cells.shift();
	if (cells.length > 1 && cells.at(-1) === '') cells.pop();
	return cells;
}

/** Whether a line separates the head of a table, of so many cells, from its rows. */
function isTableRule(text: string, head: string): boolean {
	if (!text.includes('|') || !/^[\s|:-]+$/.test(text)) return false;
	const cells = cellsOf(text);
	return cells.every((cell) => /^:?-+:?$/.test(cell)) && cells.length === cellsOf(head).length;
}

/** Names of languages that stand behind a code fence. Any other word there may be what somebody wrote. */
const LANGUAGES = new Set(
	'bash bat c c# c++ cmd console cpp cs csharp css csv dax diff docker dockerfile fsharp go graphql groovy html http ini java javascript js json json5 jsonc jsx kotlin kql latex log lua makefile markdown md mermaid objective-c odata patch perl php plain plaintext powerfx powershell ps1 py python r rb regex ruby rust scala scss sh shell sql swift text toml ts tsql tsx txt typescript vb vbnet xml yaml yml zsh'.split(
		' ',
	),
);

/** Whether what a code fence says of its code is no word of the text. */
function isLanguage(info: string): boolean {
	return info === '' || LANGUAGES.has(info.toLowerCase());
}

/** Reads the lines of a text, one after the other, into blocks. */
class BlockReader {
	readonly blocks: Block[] = [];
	private containers: Container[] = [];
	private leaf: Leaf | undefined;

	line(source: string): void {
		const { matched, prefix, rest } = this.enter(source);
		const isInside = matched === this.containers.length;
		if (isInside && this.leaf && this.continueVerbatim(this.leaf, prefix, rest)) return;
		this.start(matched, prefix, rest);
	}

	/** Finds the containers in which a line goes on. Their indent stays, their quote marks do not. */
	private enter(source: string): { matched: number; prefix: string; rest: string } {
		let prefix = '';
		let rest = source;
		let matched = 0;
		for (const container of this.containers) {
			if (container === 'quote') {
				const mark = QUOTE.exec(rest);
				if (!mark) break;
				rest = rest.slice(mark[0].length);
			} else if (!isBlank(rest)) {
				if (indentOf(rest) < container) break;
				const length = lengthOfIndent(rest, container);
				prefix += rest.slice(0, length);
				rest = rest.slice(length);
			}
			matched++;
		}
		return { matched, prefix, rest };
	}

	/** Goes on with code or HTML. @returns false where the line is no part of it. */
	private continueVerbatim(leaf: Leaf, prefix: string, rest: string): boolean {
		if (leaf.kind === 'fence') {
			const [, mark = '', info = ''] = FENCE.exec(rest) ?? [];
			const isEnd = mark.startsWith(leaf.mark) && info === '';
			if (isEnd) this.leaf = undefined;
			else this.blocks.push({ kind: 'verbatim', line: prefix + rest });
			return true;
		}
		if (leaf.kind !== 'html') return false;
		this.html(leaf.end, prefix, rest);
		return true;
	}

	private html(end: RegExp, prefix: string, rest: string): void {
		this.leaf = end.test(rest) ? undefined : { kind: 'html', end };
		if (isBlank(rest)) this.blocks.push({ kind: 'blank' });
		else this.blocks.push({ kind: 'verbatim', line: prefix + decodeReferences(rest) });
	}

	/** Reads what begins in a line: quotes and items of lists, and then its text. */
	private start(matched: number, given: string, text: string): void {
		let prefix = given;
		let rest = text;
		let isNew = false;
		const wasInside = matched === this.containers.length;
		const open = (container: Container) => {
			if (!isNew) this.leave(matched);
			isNew = true;
			this.containers.push(container);
		};
		if (isBlank(rest)) {
			if (!wasInside) this.leave(matched);
			return this.text(prefix, rest);
		}
		const depth = () => (isNew ? this.containers.length : matched);
		while (depth() < MAX_DEPTH && indentOf(rest) < TAB_WIDTH) {
			const quote = QUOTE.exec(rest);
			if (quote) {
				open('quote');
				rest = rest.slice(quote[0].length);
				continue;
			}
			const marker = this.itemMarker(rest, wasInside && !isNew);
			if (!marker) break;
			open(marker.indent);
			prefix += rest.slice(0, marker.length);
			rest = rest.slice(marker.length);
		}
		const paragraph = !isNew && this.leaf?.kind === 'paragraph' ? this.leaf : undefined;
		if (!isNew && !wasInside) {
			// A paragraph goes on without the marks of what it stands in.
			if (paragraph && !isBlank(rest) && !this.beginsBlock(rest))
				return void paragraph.lines.push({ prefix, text: rest });
			this.leave(matched);
		}
		this.text(prefix, rest);
	}

	/** Closes what is open behind so many containers. */
	private leave(depth: number): void {
		this.containers.length = depth;
		this.leaf = undefined;
	}

	/**
	 * Reads the marker of a list's item, with the spaces behind it.
	 * @param isInside whether all containers go on, so that a paragraph may go on with what only looks like an item.
	 */
	private itemMarker(rest: string, isInside: boolean): { length: number; indent: number } | undefined {
		const found = ITEM.exec(rest);
		if (!found || RULE.test(rest)) return undefined;
		const [marker, , number] = found;
		const after = rest.slice(marker.length);
		const interrupts = isInside && this.leaf?.kind === 'paragraph';
		if (interrupts && (isBlank(after) || (number !== undefined && Number(number) !== 1))) return undefined;
		const columns = indentOf(after);
		// An item may begin with an indented code; the marker is followed by one space then.
		const space = isBlank(after) || columns > TAB_WIDTH ? 1 : columns;
		const length = marker.length + lengthOfIndent(after, space);
		return { length: isBlank(after) ? rest.length : length, indent: marker.length + space };
	}

	/** Whether a line cannot go on with a paragraph. */
	private beginsBlock(rest: string): boolean {
		if (indentOf(rest) >= TAB_WIDTH) return false;
		return [FENCE, RULE, HEADING, ...HTML.map(([start]) => start)].some((block) => block.test(rest));
	}

	/** Reads the text of a line. */
	private text(prefix: string, rest: string): void {
		const { leaf, blocks } = this;
		if (isBlank(rest)) {
			this.leaf = undefined;
			blocks.push(isBlank(prefix) ? { kind: 'blank' } : { kind: 'verbatim', line: prefix.trimEnd() });
			return;
		}
		const paragraph = leaf?.kind === 'paragraph' ? leaf : undefined;
		if (indentOf(rest) >= TAB_WIDTH) {
			if (paragraph) return void paragraph.lines.push({ prefix, text: rest });
			const line = rest.slice(lengthOfIndent(rest, TAB_WIDTH));
			return void blocks.push({ kind: 'verbatim', line: (prefix + line).trimEnd() });
		}
		if (paragraph && this.endParagraph(paragraph.lines, rest)) return;
		const mayBegin = SIGN.test(rest);
		const fence = mayBegin ? FENCE.exec(rest) : null;
		if (fence) {
			const [, mark = '', info = ''] = fence;
			this.leaf = { kind: 'fence', mark };
			const words = prefix + (isLanguage(info) ? '' : info);
			if (!isBlank(words)) blocks.push({ kind: 'verbatim', line: words.trimEnd() });
			return;
		}
		const heading = mayBegin ? HEADING.exec(rest) : null;
		if (heading) {
			this.leaf = undefined;
			const words = rest.slice(heading[0].length).trimEnd();
			// The signs at its end are marks too, but not those of a word such as C#.
			const title = words.replace(/(?:^|[ \t])#+$/, '');
			blocks.push({
				kind: 'heading',
				line: { prefix, text: title.trimEnd() },
				source: prefix + rest.trim(),
			});
			blocks.push({ kind: 'blank' });
			return;
		}
		if (mayBegin && RULE.test(rest)) {
			this.leaf = undefined;
			return void blocks.push(
				isBlank(prefix) ? { kind: 'blank' } : { kind: 'verbatim', line: prefix + rest },
			);
		}
		const html = mayBegin ? HTML.find(([start]) => start.test(rest)) : undefined;
		if (html) return this.html(html[1], prefix, rest);
		if (leaf?.kind === 'table') return void blocks.push({ kind: 'row', line: { prefix, text: rest } });
		if (paragraph) return void paragraph.lines.push({ prefix, text: rest });
		const [, label, address, title = ''] = (mayBegin && DEFINITION.exec(rest)) || [];
		if (label !== undefined && address !== undefined) {
			const target = address.startsWith('<') ? address.slice(1, -1) : address;
			return void blocks.push({
				kind: 'definition',
				label,
				target: { address: decodeTarget(target), title: decodeTarget(title.slice(1, -1)) },
				source: prefix + rest,
			});
		}
		this.paragraph(prefix, rest);
	}

	private paragraph(prefix: string, rest: string): void {
		const box = /[^\s]/.test(prefix) ? (TASK_BOX.exec(rest)?.[0] ?? '') : '';
		const lines = [{ prefix: prefix + box, text: rest.slice(box.length) }];
		this.leaf = { kind: 'paragraph', lines };
		this.blocks.push({ kind: 'paragraph', lines });
	}

	/** Makes a heading or a table of a paragraph whose last line is underlined. @returns whether it is. */
	private endParagraph(lines: Line[], rest: string): boolean {
		if (UNDERLINE.test(rest)) {
			this.blocks.push({ kind: 'blank' });
			this.leaf = undefined;
			return true;
		}
		const head = lines.at(-1);
		if (!head || !isTableRule(rest, head.text)) return false;
		lines.pop();
		this.blocks.push({ kind: 'row', line: head });
		this.leaf = { kind: 'table' };
		return true;
	}
}

const keyOf = (label: string) => label.trim().replace(/\s+/g, ' ').toLowerCase();

/** The targets that stand apart from their links, and which of them were used. */
class DefinedTargets implements Definitions {
	private readonly targets = new Map<string, DefinedTarget>();
	private readonly used = new Set<string>();
	private left = MAX_DEFINED;

	constructor(blocks: Block[]) {
		for (const block of blocks) {
			if (block.kind !== 'definition') continue;
			const key = keyOf(block.label);
			if (!this.targets.has(key)) this.targets.set(key, block.target);
		}
	}

	use = (label: string): DefinedTarget | undefined => {
		if (this.targets.size === 0 || label.length > 999) return undefined;
		const key = keyOf(label);
		const target = this.targets.get(key);
		const length = target ? target.address.length + target.title.length : 0;
		if (length > this.left) return undefined;
		this.left -= length;
		if (target !== undefined) this.used.add(key);
		return target;
	};

	/** Whether a link has the target of a definition with it. */
	isShown({ label, target }: { label: string; target: DefinedTarget }): boolean {
		const key = keyOf(label);
		const used = this.used.has(key) ? this.targets.get(key) : undefined;
		return used?.address === target.address && [used.title, ''].includes(target.title);
	}
}

function inline(lines: Line[], targets: Definitions): string {
	const [first, ...others] = lines;
	const text = lines.map((line) => line.text).join('\n');
	const prefixes = others.map(({ prefix }) => prefix);
	return ((first?.prefix ?? '') + inlineText(text, prefixes, targets)).trimEnd();
}

/** The text of a block; undefined for what only separates others. */
function textOf(block: Exclude<Block, { kind: 'definition' }>, targets: Definitions): string[] | undefined {
	switch (block.kind) {
		case 'verbatim':
			return [block.line];
		case 'blank':
			return undefined;
		case 'paragraph':
			return block.lines.length === 0 ? [] : [inline(block.lines, targets)];
		case 'heading': {
			const title = inlineText(block.line.text, [], targets).trim();
			// A sign that heads nothing was meant as a sign.
			return [isSeen(title) ? block.line.prefix + title : block.source];
		}
		case 'row': {
			const cells = cellsOf(block.line.text).map((cell) => inlineText(cell, [], targets));
			return [(block.line.prefix + cells.join(' | ')).trimEnd()];
		}
	}
}

/**
 * Takes the marks of Markdown out of a text. Its lines, and the markers of its lists, stay as they are written. Pure, and
 * the work grows with the length of the text only.
 * @param markdown with `\n` between its lines.
 */
export function withoutMarkdown(markdown: string): string {
	const reader = new BlockReader();
	for (const line of markdown.split('\n')) reader.line(line);
	const targets = new DefinedTargets(reader.blocks);
	// A definition is left out only where a link has it, so the links are read first.
	const texts = reader.blocks.map((block) => (block.kind === 'definition' ? block : textOf(block, targets)));
	const out: string[] = [];
	for (const text of texts) {
		if (text === undefined) {
			if (out.at(-1) !== '') out.push('');
		} else if (Array.isArray(text)) out.push(...text);
		else if (!targets.isShown(text)) out.push(text.source);
	}
	return out.join('\n');
}
