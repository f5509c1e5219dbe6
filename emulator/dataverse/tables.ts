import { randomUUID } from 'node:crypto';
import { duplicateRecord, missingRecord } from './errors';
import { type Row, type Table, tables } from './schema';

/** What a body sets: columns by their names, look-ups as the id of the row that they are bound to, or null. */
export type Changes = Row;

/** To the second, as Dataverse writes times. */
const now = () => new Date().toISOString().replace(/\.\d+Z$/, 'Z');

/** Dataverse's rows, in memory. */
export class Tables {
	private readonly rows = new Map<Table, Map<string, Row>>(
		[...tables.values()].map((table) => [table, new Map()]),
	);
	private readonly listeners: (() => void)[] = [];
	/** One for the whole environment, as in Dataverse, where it is no small number. */
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
	 * Adds a row; its id is made when the changes have none.
	 *
	 * @throws DataverseError 0x80040237 when there is a row with its id, 0x80040217 when one that it is bound to is not there
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
	 * Changes a row; its id stays.
	 *
	 * @throws DataverseError 0x80040217 when the row, or one that it is bound to, is not there
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

	/** Calls back after every change. */
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

/** The version of a row as `@odata.etag` and `If-Match` have it. */
export const etagOf = ({ versionnumber }: Row): string => `W/"${versionnumber}"`;
