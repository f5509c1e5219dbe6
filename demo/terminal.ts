const colourful = Boolean(process.stdout.isTTY) && !process.env.NO_COLOR;
const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/** Colours a text on a terminal that wants colours, and nowhere else. */
export function paint(colour: keyof typeof codes, text: string): string {
	return colourful && text ? `\x1b[${codes[colour]}m${text}\x1b[0m` : text;
}

/** Breaks a text into lines of at most `width` characters, between words where it can. */
export function wrap(text: string, width: number): string[] {
	const lines: string[] = [];
	let rest = text.replace(/\s+/g, ' ').trim();
	while (rest.length > width) {
		const space = rest.lastIndexOf(' ', width);
		const at = space > 0 ? space : width;
		lines.push(rest.slice(0, at));
		rest = rest.slice(at).trimStart();
	}
	return [...lines, rest];
}

/** A column: its width, and how its cells are painted. */
export interface Column {
	width: number;
	paint?: (cell: string) => string;
}

/** One row of a table, on as many lines as its fullest cell needs. */
export function row(columns: Column[], cells: string[]): string {
	const wrapped = columns.map(({ width }, index) => wrap(cells[index] ?? '', width));
	const height = Math.max(...wrapped.map((lines) => lines.length));
	return Array.from({ length: height }, (_, line) =>
		columns
			.map(({ width, paint: painter = String }, index) => {
				const cell = wrapped[index]?.[line] ?? '';
				return painter(cell) + ' '.repeat(width - cell.length);
			})
			.join('  ')
			.trimEnd(),
	)
		.map((line) => `  ${line}`)
		.join('\n');
}
