import type { ILoadOptionsFunctions, INodeListSearchResult } from 'n8n-workflow';
import { toNodeError } from '../../shared/action/nodeErrors';
import type { Json } from '../../shared/json';
import { InputError } from '../../shared/transport/errors';
import type { ListRequest } from '../../shared/transport/pagination';
import { communicationClient } from '../api/client';
import { connectionFrom } from '../api/connection';
import { conversationsRequest, listRequest, templatesRequest } from '../api/request';
import { conversationItem, readChannelId } from '../operations/fields';
import { templateItem } from '../operations/template/getMany';

type Choice = INodeListSearchResult['results'][number];

/** The most choices of a list. A person finds others by typing. */
const MAX_CHOICES = 200;
/** The most entries that a search reads. */
const MAX_ENTRIES = 2_000;

/** Reads a list and makes choices of the entries that match the filter. */
async function searchList(
	context: ILoadOptionsFunctions,
	list: () => ListRequest,
	toChoice: (entry: Json) => Choice | undefined,
	filter: string | undefined,
): Promise<INodeListSearchResult> {
	try {
		const credential = await context.getCredentials('azureCommunicationServicesApi');
		const client = communicationClient(connectionFrom(credential));
		const wanted = filter?.trim().toLowerCase() ?? '';
		const found = new Map<string, Choice>();
		for await (const entry of client.list(list())) {
			const choice = toChoice(entry);
			if (!choice?.name.toLowerCase().includes(wanted)) continue;
			// A template in several languages has one choice. The shorter name has no status, so it is approved.
			const existing = found.get(String(choice.value));
			if (!existing || choice.name.length < existing.name.length) found.set(String(choice.value), choice);
			if (found.size >= MAX_CHOICES) break;
		}
		return { results: [...found.values()] };
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

/** Makes the list of the templates of the node's channel. */
function templatesOf(context: ILoadOptionsFunctions): ListRequest {
	const channelId = context.getCurrentNodeParameter('channelId');
	if (typeof channelId !== 'string' || channelId.trim() === '') {
		// n8n shows the message only.
		throw new InputError('Enter Channel ID first (Azure portal: the resource, Channels)', '');
	}
	return listRequest(templatesRequest(readChannelId(channelId, 'Channel ID')), MAX_ENTRIES);
}

/** Adds the status of a template that is not approved, as it cannot be sent. */
function withStatus(name: string, status: string | null): string {
	return status === null || status.toLowerCase() === 'approved' ? name : `${name} (${status})`;
}

/** Fills the list of Template Name: each name once. */
export async function searchTemplates(
	this: ILoadOptionsFunctions,
	filter?: string,
): Promise<INodeListSearchResult> {
	const toChoice = (entry: Json): Choice => {
		const { name, status } = templateItem(entry);
		return { name: withStatus(name, status), value: name };
	};
	return await searchList(this, () => templatesOf(this), toChoice, filter);
}

/** Fills the list of Template Language: the languages of the chosen template. */
export async function searchTemplateLanguages(
	this: ILoadOptionsFunctions,
	filter?: string,
): Promise<INodeListSearchResult> {
	const chosen = this.getCurrentNodeParameter('templateName', { extractValue: true });
	if (!chosen) {
		throw toNodeError(this.getNode(), new InputError('Choose Template Name first', ''));
	}
	const toChoice = (entry: Json): Choice | undefined => {
		const { name, language, status } = templateItem(entry);
		if (name !== chosen) return undefined;
		return { name: withStatus(language, status), value: language };
	};
	return await searchList(this, () => templatesOf(this), toChoice, filter);
}
