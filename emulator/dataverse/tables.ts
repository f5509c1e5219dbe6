import { randomUUID } from 'node:crypto';
import { duplicateRecord, missingRecord } from './errors';
import { type Row, type Table, tables } from './schema';

/** The columns that a body sets, by their names. A look-up is the id of the row that it refers to, or null. */
export type Changes = Row;

/** The current time in the form of Dataverse, which has no fractions of a second. */
const now = () => new Date().toISOString().replace(/\.\d+Z$/, 'Z');

/** The rows of Dataverse, in memory. */
export class Tables {
	private readonly rows = new Map<Table, Map<string, Row>>(
		[...tables.values()].map((table) => [table, new Map()]),
	);
	private readonly listeners: (() => void)[] = [];
	/** The version number of the whole environment; like a real one, it does not begin at 1. */
	private version = 4_100_000;

	all(table: Table): Row[] {
		return [...this.rowsOf(table).values()];
	}

	/** @param id in lower case */
	find(table: Table, id: string): Row | undefined {
		return this.rowsOf(table).get(id);
	}

	/** @throws DataverseError 0x80040217 when there is no such row */
	get(table: Table, id: string): Row {
		const row = this.find(table, id);
		if (!row) throw missingRecord(table, id);
		return row;
	}

	/**
	 * Adds a row. It gets a new id when the changes have none.
	 *
	 * @throws DataverseError 0x80040237 when a row has its id already, 0x80040217 when a row that it refers to does not exist
	 */
	create(table: Table, changes: Changes): Row {
		const id = String(changes[table.idColumn] ?? randomUUID());
		if (this.find(table, id)) throw duplicateRecord();
		this.checkBindings(table, changes);
		const initial = [...table.columns.values()].map(({ initial: value, name }) => [name, value] as const);
		const row = Object.fromEntries([...initial, ...Object.entries(changes), [table.idColumn, id]]);
		this.write(table, id, { ...row, createdon: now() });
		return this.get(table, id);
	}

	/**
	 * Changes a row, but never its id.
	 *
	 * @throws DataverseError 0x80040217 when the row, or one that it refers to, does not exist
	 */
	update(table: Table, id: string, changes: Changes): Row {
		const before = this.get(table, id);
		this.checkBindings(table, changes);
		this.write(table, id, { ...before, ...changes, [table.idColumn]: id });
		return this.get(table, id);
	}

	/** @throws DataverseError 0x80040217 when there is no such row */
	remove(table: Table, id: string): void {
		this.get(table, id);
		this.rowsOf(table).delete(id);
		this.tell();
	}

	/** Calls `listener` after every change. */
	onChange(listener: () => void): void {
		this.listeners.push(listener);
	}

	private checkBindings(table: Table, changes: Changes): void {
		for (const { lookup, name } of table.columns.values()) {
			const id = changes[name];
			const target = lookup && tables.get(lookup.table);
			if (target && typeof id === 'string') this.get(target, id);
		}
	}

	private write(table: Table, id: string, row: Row): void {
		this.version += 1;
		this.rowsOf(table).set(id, { ...row, modifiedon: now(), versionnumber: this.version });
		this.tell();
	}

	private tell(): void {
		for (const listener of this.listeners) listener();
	}

	private rowsOf(table: Table): Map<string, Row> {
		const rows = this.rows.get(table);
		if (!rows) throw new Error(`The emulator has no table ${table.logicalName}`);
		return rows;
	}
}

/** The version of a row in the form of `@odata.etag` and `If-Match`. */
export const etagOf = ({ versionnumber }: Row): string => `W/"${versionnumber}"`;
