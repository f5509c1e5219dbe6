import { badQuery, unknownColumn } from './errors';
import { type Column, type EdmType, GUID, type Row, type Table, type Value } from './schema';

export type Predicate = (row: Row) => boolean;

interface Token {
	kind: 'text' | 'word' | '(' | ')' | ',';
	text: string;
	position: number;
}

interface Literal {
	value: Value;
	/** Undefined for null, which goes with every type. */
	type?: EdmType;
}

const OPERATORS = {
	eq: 'Equal',
	ne: 'NotEqual',
	gt: 'GreaterThan',
	ge: 'GreaterThanOrEqual',
	lt: 'LessThan',
	le: 'LessThanOrEqual',
} as const;
type Operator = keyof typeof OPERATORS;
const FUNCTIONS: Record<string, (text: string, part: string) => boolean> = {
	contains: (text, part) => text.includes(part),
	startswith: (text, part) => text.startsWith(part),
	endswith: (text, part) => text.endsWith(part),
};

/** Dataverse compares texts without regard to their casing, as its database does. */
const folded = (value: Value): Value => (typeof value === 'string' ? value.toLowerCase() : value);

/** Orders values as Dataverse does; null comes first. */
export function compareValues(left: Value, right: Value): number {
	const [a, b] = [folded(left), folded(right)];
	if (a === b) return 0;
	if (a === null || b === null) return a === null ? -1 : 1;
	return a < b ? -1 : 1;
}

function matches(operator: Operator, left: Value, right: Value): boolean {
	if (operator === 'eq' || operator === 'ne')
		return (compareValues(left, right) === 0) === (operator === 'eq');
	if (left === null || right === null) return false;
	const order = compareValues(left, right);
	return { gt: order > 0, ge: order >= 0, lt: order < 0, le: order <= 0 }[operator];
}

const isInteger = (type: EdmType | undefined) => type === 'Edm.Int32' || type === 'Edm.Int64';

function literalOf({ kind, text }: Token): Literal | undefined {
	if (kind === 'text') return { value: text, type: 'Edm.String' };
	if (text === 'null') return { value: null };
	if (text === 'true' || text === 'false') return { value: text === 'true', type: 'Edm.Boolean' };
	if (/^-?\d+$/.test(text)) return { value: Number(text), type: 'Edm.Int32' };
	if (GUID.test(text)) return { value: text.toLowerCase(), type: 'Edm.Guid' };
	if (/^\d{4}-\d{2}-\d{2}T/.test(text) && !Number.isNaN(Date.parse(text))) {
		return { value: text, type: 'Edm.DateTimeOffset' };
	}
	return undefined;
}

/**
 * Reads a `$filter`: comparisons of a column with a literal, `contains`, `startswith`, `endswith`, `not`, `and`, `or` and
 * brackets. The paths through look-ups and the functions that Dataverse has beyond these are not read.
 */
class FilterParser {
	private readonly tokens: Token[];
	private at = 0;

	constructor(
		private readonly source: string,
		private readonly table: Table,
	) {
		this.tokens = this.split();
	}

	parse(): Predicate {
		const predicate = this.or();
		if (this.at < this.tokens.length) throw this.syntaxError();
		return predicate;
	}

	private split(): Token[] {
		const tokens: Token[] = [];
		const pattern = /\s+|'((?:[^']|'')*)'|([(),])|([^\s(),']+)/gy;
		while (pattern.lastIndex < this.source.length) {
			const position = pattern.lastIndex;
			const match = pattern.exec(this.source);
			if (!match) throw this.syntaxError(position);
			const [, text, sign, word] = match;
			if (text !== undefined) tokens.push({ kind: 'text', text: text.replaceAll("''", "'"), position });
			if (sign !== undefined) tokens.push({ kind: sign as '(' | ')' | ',', text: sign, position });
			if (word !== undefined) tokens.push({ kind: 'word', text: word, position });
		}
		return tokens;
	}

	private syntaxError(position = this.tokens[this.at]?.position ?? this.source.length) {
		return badQuery(`Syntax error at position ${position} in '${this.source}'.`);
	}

	private isWord(text: string): boolean {
		const token = this.tokens[this.at];
		return token?.kind === 'word' && token.text === text;
	}

	private take(kind: Token['kind']): Token {
		const token = this.tokens[this.at];
		if (token?.kind !== kind) throw this.syntaxError();
		this.at += 1;
		return token;
	}

	private or(): Predicate {
		let left = this.and();
		while (this.isWord('or')) {
			this.at += 1;
			const [before, after] = [left, this.and()];
			left = (row) => before(row) || after(row);
		}
		return left;
	}

	private and(): Predicate {
		let left = this.not();
		while (this.isWord('and')) {
			this.at += 1;
			const [before, after] = [left, this.not()];
			left = (row) => before(row) && after(row);
		}
		return left;
	}

	private not(): Predicate {
		if (!this.isWord('not')) return this.term();
		this.at += 1;
		const inner = this.not();
		return (row) => !inner(row);
	}

	private term(): Predicate {
		if (this.tokens[this.at]?.kind === '(') {
			this.take('(');
			const inner = this.or();
			this.take(')');
			return inner;
		}
		const word = this.take('word');
		const call = FUNCTIONS[word.text];
		if (call && this.tokens[this.at]?.kind === '(') return this.call(call);
		return this.comparison(word.text);
	}

	private call(test: (text: string, part: string) => boolean): Predicate {
		this.take('(');
		const { name } = this.column(this.take('word').text);
		this.take(',');
		const part = this.take('text').text.toLowerCase();
		this.take(')');
		return (row) => test(String(row[name] ?? '').toLowerCase(), part);
	}

	private comparison(columnName: string): Predicate {
		const { name, type } = this.column(columnName);
		const operator = this.take('word').text;
		if (!Object.hasOwn(OPERATORS, operator)) {
			this.at -= 1;
			throw this.syntaxError();
		}
		const known = operator as Operator;
		const token = this.tokens[this.at];
		const literal = token && literalOf(token);
		if (!literal) throw this.syntaxError();
		this.at += 1;
		const fits =
			literal.type === undefined || literal.type === type || (isInteger(literal.type) && isInteger(type));
		if (!fits) {
			throw badQuery(
				`A binary operator with incompatible types was detected. Found operand types '${type}' and '${literal.type}' for operator kind '${OPERATORS[known]}'.`,
			);
		}
		return (row) => matches(known, row[name] ?? null, literal.value);
	}

	private column(name: string): Column {
		const column = this.table.columns.get(name);
		if (!column) throw unknownColumn(name, this.table);
		return column;
	}
}

/**
 * Reads a `$filter`.
 *
 * @throws DataverseError 0x80060888 for what cannot be read: syntax, an unknown column, a literal of another type
 */
export const parseFilter = (source: string, table: Table): Predicate =>
	new FilterParser(source, table).parse();
