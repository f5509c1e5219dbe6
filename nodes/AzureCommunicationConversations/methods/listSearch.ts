import type { ILoadOptionsFunctions, INodeListSearchResult } from 'n8n-workflow';
import { toNodeError } from '../../shared/action/nodeErrors';
import type { Json } from '../../shared/json';
import { InputError } from '../../shared/transport/errors';
import type { ListRequest } from '../../shared/transport/pagination';
import { communicationClient } from '../api/client';
import { connectionFrom } from '../api/connection';
import { listRequest } from '../api/request';
import { conversationsRequest } from '../operations/conversation/getMany';
import { conversationItem, readChannelId } from '../operations/fields';
import { templateItem, templatesRequest } from '../operations/template/getMany';

type Choice = INodeListSearchResult['results'][number];

/** What a list shows at the most; what is further down is found by typing. */
const MAX_CHOICES = 200;
/** Entries that one search looks through. */
const MAX_ENTRIES = 2_000;

/** Reads a list and turns it into choices, those that the filter lets through. */
async function choices(
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
			// Of a template in several languages, an approved one speaks for it.
			const known = found.get(String(choice.value));
			if (!known || choice.name.length < known.name.length) found.set(String(choice.value), choice);
			if (found.size >= MAX_CHOICES) break;
		}
		return { results: [...found.values()] };
	} catch (error) {
		throw toNodeError(context.getNode(), error);
	}
}

/** The drop-down of the conversation field. */
export async function searchConversations(
	this: ILoadOptionsFunctions,
	filter?: string,
): Promise<INodeListSearchResult> {
	const toChoice = (entry: Json): Choice => {
		const { conversationId, topic } = conversationItem(entry);
		return { name: topic === null ? conversationId : `${topic} · ${conversationId}`, value: conversationId };
	};
	return await choices(this, () => listRequest(conversationsRequest(), MAX_ENTRIES), toChoice, filter);
}

function templatesOf(context: ILoadOptionsFunctions): ListRequest {
	const channelId = context.getCurrentNodeParameter('channelId');
	const given = typeof channelId === 'string' ? channelId.trim() : '';
	if (given === '') {
		// n8n shows no more than the message here.
		throw new InputError('Enter Channel ID first (Azure portal: the resource, Channels)', '');
	}
	return listRequest(templatesRequest(readChannelId(given, 'Channel ID')), MAX_ENTRIES);
}

/** What is not approved cannot be sent, and says so. */
function withStatus(name: string, status: string | null): string {
	return status === null || status.toLowerCase() === 'approved' ? name : `${name} (${status})`;
}

/** The drop-down of the template's name: each once, whatever its languages. */
export async function searchTemplates(
	this: ILoadOptionsFunctions,
	filter?: string,
): Promise<INodeListSearchResult> {
	const toChoice = (entry: Json): Choice => {
		const { name, status } = templateItem(entry);
		return { name: withStatus(name, status), value: name };
	};
	return await choices(this, () => templatesOf(this), toChoice, filter);
}

/** The drop-down of the template's language: those of the chosen name, with their status where it is not approved. */
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
	return await choices(this, () => templatesOf(this), toChoice, filter);
}
