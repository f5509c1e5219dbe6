import type { ILoadOptionsFunctions, INodeListSearchResult } from 'n8n-workflow';
import { conversationItem, conversationList } from '../operations/conversation/getMany';
import { toNodeError } from '../operations/execute';
import { connectionFrom } from '../api/connection';
import { readPage } from '../api/pages';

/** The drop-down of the conversation field: the channel's active conversations, a page at a time. */
export async function searchConversations(
	this: ILoadOptionsFunctions,
	filter?: string,
	paginationToken?: string,
): Promise<INodeListSearchResult> {
	try {
		const connection = connectionFrom(await this.getCredentials('dynamics365MessagingApi'));
		const { entries, next } = await readPage(connection, conversationList(undefined), paginationToken);
		const wanted = filter?.trim().toLowerCase() ?? '';
		return {
			results: entries
				.map(conversationItem)
				.map(({ conversationId, timestamp }) => ({
					name: timestamp === null ? conversationId : `${conversationId} (${timestamp})`,
					value: conversationId,
				}))
				.filter(({ name }) => name.toLowerCase().includes(wanted)),
			paginationToken: next,
		};
	} catch (error) {
		throw toNodeError(this.getNode(), error);
	}
}
