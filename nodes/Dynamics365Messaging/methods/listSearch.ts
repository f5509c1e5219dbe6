import type { ILoadOptionsFunctions, INodeListSearchResult } from 'n8n-workflow';
import { toNodeError } from '../../shared/action/nodeErrors';
import type { Json } from '../../shared/json';
import { connectionFrom } from '../connection';
import { messagingClient } from '../messagingApi/client';
import { conversationList } from '../messagingApi/pages';
import { conversationItem } from '../operations/conversation/getMany';

/** How many pages one search reads at the most. */
const MAX_PAGES = 20;

/** The entry of the drop-down. The time comes first, as conversations have no names. */
function choiceOf(entry: Json): INodeListSearchResult['results'][number] {
	const { conversationId, timestamp } = conversationItem(entry);
	const parsed = Date.parse(timestamp ?? '');
	const time = Number.isNaN(parsed)
		? ''
		: `${new Date(parsed).toISOString().slice(0, 16).replace('T', ' ')} UTC · `;
	return { name: `${time}${conversationId}`, value: conversationId };
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
		const wanted = filter?.trim().toLowerCase() ?? '';
		let token = paginationToken;
		for (let page = 0; page < MAX_PAGES; page++) {
			const { entries, next } = await client.page(conversationList(undefined), token);
			const results = entries.map(choiceOf).filter(({ name }) => name.toLowerCase().includes(wanted));
			// The editor would take a page without a match for the end of the list.
			if (results.length > 0 || next === undefined) return { results, paginationToken: next };
			token = next;
		}
		return { results: [], paginationToken: token };
	} catch (error) {
		throw toNodeError(this.getNode(), error);
	}
}
