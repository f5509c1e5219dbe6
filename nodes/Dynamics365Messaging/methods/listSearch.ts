import type { ILoadOptionsFunctions, INodeListSearchResult } from 'n8n-workflow';
import { toNodeError } from '../../shared/action/nodeErrors';
import type { Json } from '../../shared/json';
import type { ServiceCalls } from '../../shared/transport/client';
import type { ListRequest } from '../../shared/transport/pagination';
import { connectionFrom } from '../connection';
import { choiceList, explainChoiceError, readChoice, type Chosen } from '../dataverse/choices';
import { dataverseClient } from '../dataverse/client';
import { messagingClient } from '../messagingApi/client';
import { conversationList } from '../messagingApi/pages';
import { distinct, type Choice } from './choice';
import { conversationChoices, recordReader } from './conversationChoices';

/** How many pages one search reads at the most. */
const MAX_PAGES = 20;

/** Conversations of a page: the URL that asks for their names has to stay short. */
const PAGE_SIZE = 100;

/** Reads pages of a list until one has an entry of which the name or the ID contains what the user typed. */
async function search(
	client: ServiceCalls,
	list: ListRequest,
	choicesOf: (entries: Json[]) => Choice[] | Promise<Choice[]>,
	filter: string | undefined,
	paginationToken: string | undefined,
): Promise<INodeListSearchResult> {
	const wanted = filter?.trim().toLowerCase() ?? '';
	const isWanted = ({ name, value }: Choice) =>
		[name, String(value)].some((text) => text.toLowerCase().includes(wanted));
	let token = paginationToken;
	for (let page = 0; page < MAX_PAGES; page++) {
		const { entries, next } = await client.page(list, token);
		const results = (await choicesOf(entries)).filter(isWanted);
		// The editor would take a page without a match for the end of the list.
		if (results.length > 0 || next === undefined) return { results, paginationToken: next };
		token = next;
	}
	return { results: [], paginationToken: token };
}

/**
 * Fills the drop-down of the conversation field with the channel's active conversations, a page at a time, by the names of
 * the customers where Dataverse tells them: one call a page. Times are in the zone that n8n gives here.
 * Source: docs/service-facts.md#n8n-list-time-zone.
 * @param filter what the user typed; an entry matches where its name or its ID contains it.
 * @param paginationToken of the page before; undefined for the first.
 * @throws NodeApiError or NodeOperationError, as n8n shows them.
 */
export async function searchConversations(
	this: ILoadOptionsFunctions,
	filter?: string,
	paginationToken?: string,
): Promise<INodeListSearchResult> {
	try {
		const connection = connectionFrom(await this.getCredentials('dynamics365MessagingApi'));
		const list = conversationList(undefined, {}, PAGE_SIZE);
		const recordsOf = recordReader(connection);
		const choicesOf = async (entries: Json[]) =>
			conversationChoices(entries, await recordsOf(entries), this.getTimezone(), connection.environmentUrl);
		return await search(messagingClient(connection), list, choicesOf, filter, paginationToken);
	} catch (error) {
		throw toNodeError(this.getNode(), error);
	}
}

/** Makes the method that fills a drop-down with the environment's records of a kind, as {@link searchConversations} does. */
function searchRecords(chosen: Chosen) {
	return async function (
		this: ILoadOptionsFunctions,
		filter?: string,
		paginationToken?: string,
	): Promise<INodeListSearchResult> {
		const toChoice = (row: Json): Choice => {
			const { id, name } = readChoice(chosen, row);
			return { name, value: id };
		};
		try {
			const credential = await this.getCredentials('dynamics365MessagingApi');
			const client = dataverseClient(connectionFrom(credential));
			const choicesOf = (rows: Json[]) => distinct(rows.map(toChoice));
			return await search(client, choiceList(chosen), choicesOf, filter, paginationToken);
		} catch (error) {
			throw toNodeError(this.getNode(), explainChoiceError(error, chosen));
		}
	};
}

/** Fills the drop-down of the channel field with the environment's Messaging API channels. */
export const searchChannels = searchRecords('channels');
/** Fills the drop-down of the workstream field with the environment's workstreams. */
export const searchWorkstreams = searchRecords('workstreams');
/** Fills the drop-down of a channel's language with the environment's languages. */
export const searchLanguages = searchRecords('languages');
/** Fills the drop-downs of a channel's surveys with the environment's surveys of Customer Voice. */
export const searchSurveys = searchRecords('surveys');
