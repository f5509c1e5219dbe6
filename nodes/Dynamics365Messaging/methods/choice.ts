import type { INodeListSearchResult } from 'n8n-workflow';

/** An entry of a drop-down. */
export type Choice = INodeListSearchResult['results'][number];

/**
 * Makes sure that a person can tell entries apart: those that would have the same name have their IDs in it. One without an
 * ID is left out, as nobody could choose it. Pure.
 */
export function distinct(choices: Choice[]): Choice[] {
	const shown = choices.filter(({ value }) => String(value).trim() !== '');
	const counts = new Map<string, number>();
	for (const { name } of shown) counts.set(name, (counts.get(name) ?? 0) + 1);
	return shown.map((choice) => {
		const { name, value } = choice;
		return counts.get(name) === 1 ? choice : { ...choice, name: `${name} · ${value}` };
	});
}
