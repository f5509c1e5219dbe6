import { withoutMarkdown } from './markdown/blocks';
import { isSeen } from './markdown/references';

/** A longer text keeps its Markdown, as reading it would delay the answer. The service's own limit is 6,000. */
const MAX_LENGTH = 10_000;
/** A longer text stays as it is. */
const MAX_LENGTH_WITH_BREAKS = 100_000;

/** `<br>`; what stands between one or two backticks is a person's word about it. */
const BREAK = /(?<!`)(`{1,2})[ \t]?<br\s*\/?>[ \t]?\1(?!`)|<br\s*\/?>/gi;

/**
 * Removes Markdown and `<br>` from a text, for channels that show plain text. Links keep their address, lists their markers,
 * and each letter and digit stays; other HTML stays too. Where nothing would be left, the text stays as it was written.
 * Pure; the work grows with the length of the text only, and a text that is longer than any message is not read.
 * Source: docs/service-facts.md#text-received.
 * @param textFormat the activity's; in `plain`, whatever its casing, nothing is Markdown.
 */
export function plainTextOf(text: string, textFormat: string | null = null): string {
	if (textFormat?.trim().toLowerCase() === 'plain') return text;
	if (text.length > MAX_LENGTH_WITH_BREAKS) return text;
	const lines = text
		.replace(BREAK, (found, ticks?: string) => (ticks === undefined ? '\n' : found))
		.replace(/\r\n?/g, '\n');
	if (lines.length > MAX_LENGTH) return lines;
	return [withoutMarkdown(lines), lines].map((one) => one.trim()).find(isSeen) ?? text.trim();
}
