import type { INodeProperties } from 'n8n-workflow';
import { commonOptions, fieldsWith, propertiesOf, type Resource } from '../../shared/action/properties';
import { create } from './conversation/create';
import { remove as deleteConversation } from './conversation/delete';
import { get } from './conversation/get';
import { getMany as getManyConversations } from './conversation/getMany';
import { terminate } from './conversation/terminate';
import { getMany as getManyMessages } from './message/getMany';
import { send } from './message/send';
import { add } from './participant/add';
import { remove as removeParticipants } from './participant/remove';
import { getMany as getManyTemplates } from './template/getMany';
import type { Operation, ResourceName } from './types';

/** Every operation of the action node, in the order of the drop-downs. A new one is a line here and a file. */
export const OPERATIONS: readonly Operation[] = [
	create,
	deleteConversation,
	get,
	getManyConversations,
	terminate,
	getManyMessages,
	send,
	add,
	removeParticipants,
	getManyTemplates,
];

const RESOURCES: Array<Resource & { value: ResourceName }> = [
	{ name: 'Conversation', value: 'conversation', first: 'create' },
	{ name: 'Message', value: 'message', first: 'send' },
	{ name: 'Participant', value: 'participant', first: 'add' },
	{ name: 'Template', value: 'template', first: 'getMany' },
];

const COMMON_OPTIONS = commonOptions(
	'What may have arrived is done once, as the service recognises a repeated request; only Conversation: Create is not repeated.',
);

/** All fields of an operation. */
export function fieldsOf(operation: Operation): INodeProperties[] {
	return fieldsWith(operation, COMMON_OPTIONS);
}

/** All properties of the action node. */
export const properties: INodeProperties[] = propertiesOf(RESOURCES, 'message', OPERATIONS, COMMON_OPTIONS);
