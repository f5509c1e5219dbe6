import type { INodeProperties, INodePropertyOptions } from 'n8n-workflow';
import { create } from './conversation/create';
import { end } from './conversation/end';
import { getContext } from './conversation/getContext';
import { getMany as getManyConversations } from './conversation/getMany';
import { send as sendCustomEvent } from './customEvent/send';
import { downloadAttachments } from './message/downloadAttachments';
import { getMany as getManyMessages } from './message/getMany';
import { markAsRead } from './message/markAsRead';
import { send as sendMessage } from './message/send';
import { sendTyping } from './message/sendTyping';
import type { Operation, ResourceName } from './types';

/** Every operation of the action node, in the order of the drop-downs. A new one is a line here and a file. */
export const OPERATIONS: readonly Operation[] = [
	create,
	end,
	getContext,
	getManyConversations,
	sendCustomEvent,
	downloadAttachments,
	getManyMessages,
	markAsRead,
	sendMessage,
	sendTyping,
];

const RESOURCES: Array<INodePropertyOptions & { value: ResourceName; first: string }> = [
	{ name: 'Conversation', value: 'conversation', first: 'create' },
	{ name: 'Custom Event', value: 'customEvent', first: 'send' },
	{ name: 'Message', value: 'message', first: 'send' },
];

/**
 * Finds an operation.
 * @returns undefined where the registry has none of that name.
 */
export function findOperation(resource: string, operation: string): Operation | undefined {
	return OPERATIONS.find((entry) => entry.resource === resource && entry.operation === operation);
}

function operationField(resource: ResourceName, first: string): INodeProperties {
	return {
		displayName: 'Operation',
		name: 'operation',
		type: 'options',
		noDataExpression: true,
		displayOptions: { show: { resource: [resource] } },
		options: OPERATIONS.filter((entry) => entry.resource === resource).map(
			({ name, operation, action, description }) => ({ name, value: operation, action, description }),
		),
		default: first,
	};
}

function shownFor({ resource, operation }: Operation, field: INodeProperties): INodeProperties {
	const show = { resource: [resource], operation: [operation], ...field.displayOptions?.show };
	return { ...field, displayOptions: { ...field.displayOptions, show } };
}

/** All properties of the action node, derived from the registry. */
export const properties: INodeProperties[] = [
	{
		displayName: 'Resource',
		name: 'resource',
		type: 'options',
		noDataExpression: true,
		options: RESOURCES.map(({ name, value }) => ({ name, value })),
		default: 'message',
	},
	...RESOURCES.map(({ value, first }) => operationField(value, first)),
	...OPERATIONS.flatMap((entry) => entry.fields.map((field) => shownFor(entry, field))),
];
