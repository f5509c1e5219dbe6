// Pure functions that write and read tables of Markdown.

/** A table, and what it shows where that does not go without saying. */
export interface Table {
	title?: string;
	header: string[];
	rows: string[][];
}

/** A Markdown table whose columns line up in a terminal, too. */
export function tableOf({ title, header, rows }: Table): string {
	const all = [header, ...rows];
	const widths = header.map((_, column) => Math.max(3, ...all.map((row) => (row[column] ?? '').length)));
	const line = (cells: string[]) =>
		`| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width)).join(' | ')} |`;
	return [
		...(title === undefined ? [] : [title, '']),
		line(header),
		`| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`,
		...rows.map(line),
	].join('\n');
}

/** The cells of every line of a text that is a table's, without the line below the header: the header first. */
export function columnsOf(text: string): string[][] {
	return text
		.split('\n')
		.filter((line) => line.startsWith('|') && !/^[|\s:-]+$/.test(line))
		.map((line) =>
			line
				.replace(/^\|\s*|\s*\|\s*$/g, '')
				.split('|')
				.map((cell) => cell.trim()),
		);
}
