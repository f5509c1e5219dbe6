import { nonEmptyText, readKey, type Json } from '../../shared/json';
import { ServiceError } from '../../shared/transport/errors';
import type { ListRequest } from '../../shared/transport/pagination';
import { rowsRequest, TABLES } from './requests';

/** The records that a person chooses by their names, and the columns for that. */
const CHOICES = {
	languages: { id: 'msdyn_oclanguageid', name: 'msdyn_languagename' },
	surveys: { id: 'msfp_surveyid', name: 'msfp_name' },
	workstreams: { id: 'msdyn_liveworkstreamid', name: 'msdyn_name' },
} as const;

/** Which records are chosen from. */
export type Chosen = keyof typeof CHOICES;

/** Rows of a page of the drop-down. */
const PAGE_SIZE = 250;

/**
 * The list of the environment's active records of a kind, by name. Source: docs/service-facts.md#dataverse-tables,
 * docs/service-facts.md#channel-language and docs/service-facts.md#channel-survey.
 */
export function choiceList(chosen: Chosen): ListRequest {
	const { id, name } = CHOICES[chosen];
	const request = rowsRequest(TABLES[chosen], [id, name], {
		filter: 'statecode eq 0',
		orderBy: `${name} asc`,
		pageSize: PAGE_SIZE,
	});
	return { request, entriesKey: 'value', limit: undefined };
}

/** Reads an entry of {@link choiceList}. Pure. @returns the ID in lower case, and the name, or the ID where it has none. */
export function readChoice(chosen: Chosen, row: Json): { id: string; name: string } {
	const columns = CHOICES[chosen];
	const id = nonEmptyText(readKey(row, columns.id))?.toLowerCase() ?? '';
	return { id, name: nonEmptyText(readKey(row, columns.name)) ?? id };
}

/** Dataverse's code for a table that is not there. */
const NO_TABLE = '0x8006088a';

/** Words the error of {@link choiceList}: without Customer Voice there are no surveys. Pure. */
export function explainChoiceError(error: unknown, chosen: Chosen): unknown {
	if (chosen !== 'surveys' || !(error instanceof ServiceError) || error.code !== NO_TABLE) return error;
	return error.with({
		message: 'This environment has no surveys: Dynamics 365 Customer Voice is not installed in it',
		description: 'Install Customer Voice, or check Environment URL in the credential.',
	});
}
