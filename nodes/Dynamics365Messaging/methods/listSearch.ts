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
import { conversationItem } from '../operations/conversation/getMany';

/** How many pages one search reads at the most. */
const MAX_PAGES = 20;

type Choice = INodeListSearchResult['results'][number];

/** The entry of the drop-down. The time comes first, as conversations have no names. */
function conversationChoice(entry: Json): Choice {
	const { conversationId, timestamp } = conversationItem(entry);
	const parsed = Date.parse(timestamp ?? '');
	const time = Number.isNaN(parsed)
		? ''
		: `${new Date(parsed).toISOString().slice(0, 16).replace('T', ' ')} UTC · `;
	return { name: `${time}${conversationId}`, value: conversationId };
}

/** Reads pages of a list until one has an entry that contains what the user typed. */
async function search(
	client: ServiceCalls,
	list: ListRequest,
	choiceOf: (entry: Json) => Choice,
	filter: string | undefined,
	paginationToken: string | undefined,
): Promise<INodeListSearchResult> {
	const wanted = filter?.trim().toLowerCase() ?? '';
	let token = paginationToken;
	for (let page = 0; page < MAX_PAGES; page++) {
		const { entries, next } = await client.page(list, token);
		const results = entries.map(choiceOf).filter(({ name }) => name.toLowerCase().includes(wanted));
		// The editor would take a page without a match for the end of the list.
		if (results.length > 0 || next === undefined) return { results, paginationToken: next };
		token = next;
	}
	return { results: [], paginationToken: token };
}

/**
 * Fills the drop-down of the conversation field with the channel's active conversations, a page at a time.
 * @param filter what the user typed; an entry matches where it contains it.
 * @param paginationToken of the page before; undefined for the first.
 * @throws NodeApiError or NodeOperationError, as n8n shows them.
 */
export async function searchConversations(
	this: ILoadOptionsFunctions,
	filter?: string,
	paginationToken?: string,
): Promise<INodeListSearchResult> {
	try {
		const client = messagingClient(connectionFrom(await this.getCredentials('dynamics365MessagingApi')));
		return await search(client, conversationList(undefined), conversationChoice, filter, paginationToken);
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
			return await search(client, choiceList(chosen), toChoice, filter, paginationToken);
		} catch (error) {
			throw toNodeError(this.getNode(), explainChoiceError(error, chosen));
		}
	};
}

/** Fills the drop-down of the workstream field with the environment's workstreams. */
export const searchWorkstreams = searchRecords('workstreams');
/** Fills the drop-down of a channel's language with the environment's languages. */
export const searchLanguages = searchRecords('languages');
/** Fills the drop-downs of a channel's surveys with the environment's surveys of Customer Voice. */
export const searchSurveys = searchRecords('surveys');
