import { isRecord, readKey, textOf, type Json } from '../../../shared/json';
import { readEntries } from '../../../shared/transport/pagination';
import { conversationPath } from '../../messagingApi/request';
import { optionsField } from '../../../shared/action/fields/options';
import { conversationIdField, readConversationId } from '../fields';
import type { Operation } from '../operation';

interface Variable {
	name: string;
	value: Json;
}

/**
 * Reads the context variables of an answer. Source: docs/service-facts.md#read-context.
 * @throws ServiceError where it is no object, or has something else in the place of the list.
 */
function variablesOf(answer: Json): Variable[] {
	// Whether the service leaves the list out where there are no variables is not documented.
	if (isRecord(answer) && readKey(answer, 'context') === undefined) return [];
	return readEntries(answer, 'context').map((entry) => ({
		name: textOf(readKey(entry, 'name')) ?? '',
		value: readKey(entry, 'value') ?? null,
	}));
}

export const getContext: Operation = {
	operation: 'getContext',
	name: 'Get Context',
	action: 'Get conversation context variables',
	description:
		'Get the context variables of an active conversation: facts about the customer or the case. They can be missing for a moment after the start, and cannot be read after the end.',
	effect: 'read',
	fields: [
		conversationIdField,
		optionsField([
			{
				displayName: 'Output Format',
				name: 'outputFormat',
				type: 'options',
				default: 'object',
				options: [
					{ name: 'One Item with an Object', value: 'object' },
					{ name: 'One Item per Variable', value: 'list' },
				],
				description: 'How to return the variables',
			},
		]),
	],
	plan: (parameters) => {
		const conversationId = readConversationId(parameters);
		const asList = parameters.collection('options').text('outputFormat', 'Output Format') === 'list';
		return {
			kind: 'call',
			request: { method: 'GET', path: conversationPath(conversationId, '/context') },
			toItems: (answer) => {
				const variables = variablesOf(answer);
				if (asList) return variables.map(({ name, value }) => ({ conversationId, name, value }));
				return [
					{ conversationId, context: Object.fromEntries(variables.map(({ name, value }) => [name, value])) },
				];
			},
		};
	},
};
