import type { ILoadOptionsFunctions, INodeListSearchResult } from 'n8n-workflow';
import { toNodeError } from '../../shared/action/nodeErrors';
import type { Json } from '../../shared/json';
import type { ListRequest } from '../../shared/transport/pagination';
import type { Connection } from '../api/connection';
import { conversationsRequest, listRequest } from '../api/request';
import { conversationItem } from '../operations/fields';
import { templateChoice } from '../operations/message/readTemplate';
import { isApproved, templateItem } from '../operations/templateItem';
import { connectionOf, MAX_ENTRIES, templatesOf } from './channelTemplates';

type Choice = INodeListSearchResult['results'][number];

/** The most choices of a list. A person finds others by typing. */
const MAX_CHOICES = 200;

/** Reads a list and makes choices of the entries that match the filter. */
async function searchList(
	context: ILoadOptionsFunctions,
	listOf: (connection: Connection) => ListRequest,
	toChoice: (entry: Json) => Choice | undefined,
	filter: string | undefined,
): Promise<INodeListSearchResult> {
	try {
		const { connection, client } = await connectionOf(context);
		const wanted = filter?.trim().toLowerCase() ?? '';
		const results: Choice[] = [];
		for await (const entry of client.list(listOf(connection))) {
			const choice = toChoice(entry);
			if (choice?.name.toLowerCase().includes(wanted)) results.push(choice);
			if (results.length >= MAX_CHOICES) break;
		}
		return { results };
	} catch (error) {
		throw toNodeError(context.getNode(), error);
	}
}

/** Fills the list of the conversation field. */
export async function searchConversations(
	this: ILoadOptionsFunctions,
	filter?: string,
): Promise<INodeListSearchResult> {
	const toChoice = (entry: Json): Choice => {
		const { conversationId, topic } = conversationItem(entry);
		return { name: topic === null ? conversationId : `${topic} · ${conversationId}`, value: conversationId };
	};
	return await searchList(this, () => listRequest(conversationsRequest(), MAX_ENTRIES), toChoice, filter);
}

/** Fills the list of the template field: each approved template once for each of its languages. */
export async function searchTemplates(
	this: ILoadOptionsFunctions,
	filter?: string,
): Promise<INodeListSearchResult> {
	const toChoice = (entry: Json): Choice | undefined => {
		const template = templateItem(entry);
		if (!isApproved(template)) return undefined;
		return { name: `${template.name} | ${template.language}`, value: templateChoice(template) };
	};
	return await searchList(this, (connection) => templatesOf(this, connection), toChoice, filter);
}
