import { nonEmptyText, readKey, type Json } from '../../shared/json';
import { ServiceError } from '../../shared/transport/errors';
import type { ListRequest } from '../../shared/transport/pagination';
import { MESSAGING_API } from './channel';
import { rowsRequest, TABLES } from './requests';

const ACTIVE = 'statecode eq 0';

/** The records that a person chooses by their names: the columns for that, and which of them there are to choose from. */
const CHOICES = {
	channels: {
		id: 'msdyn_occustommessagingchannelid',
		name: 'msdyn_name',
		filter: `msdyn_occustomchannelid eq ${MESSAGING_API}`,
	},
	languages: { id: 'msdyn_oclanguageid', name: 'msdyn_languagename', filter: ACTIVE },
	surveys: { id: 'msfp_surveyid', name: 'msfp_name', filter: ACTIVE },
	workstreams: { id: 'msdyn_liveworkstreamid', name: 'msdyn_name', filter: ACTIVE },
} as const;

/** Which records are chosen from. */
export type Chosen = keyof typeof CHOICES;

/** Rows of a page of the drop-down. */
const PAGE_SIZE = 250;

/**
 * The list of the environment's records of a kind, by name. Source: docs/service-facts.md#dataverse-tables,
 * docs/service-facts.md#channel-language and docs/service-facts.md#channel-survey.
 */
export function choiceList(chosen: Chosen): ListRequest {
	const { id, name, filter } = CHOICES[chosen];
	const request = rowsRequest(TABLES[chosen], [id, name], {
		filter,
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
