import type { INodeProperties } from 'n8n-workflow';
import { checkSetup } from './channel/checkSetup';
import { create as createChannel } from './channel/create';
import { remove as deleteChannel } from './channel/delete';
import { get as getChannel } from './channel/get';
import { getMany as getManyChannels } from './channel/getMany';
import { linkManagedIdentity } from './channel/linkManagedIdentity';
import { update as updateChannel } from './channel/update';
import { create } from './conversation/create';
import { end } from './conversation/end';
import { getContext } from './conversation/getContext';
import { getMany as getManyConversations } from './conversation/getMany';
import { sendOrStart } from './conversation/sendOrStart';
import { send as sendCustomEvent } from './customEvent/send';
import { downloadAttachments } from './message/downloadAttachments';
import { getMany as getManyMessages } from './message/getMany';
import { markAsRead } from './message/markAsRead';
import { send as sendMessage } from './message/send';
import { sendTyping } from './message/sendTyping';
import { commonOptions, fieldsWith, propertiesOf, type Resource } from '../../shared/action/properties';
import type { Operation, ResourceName } from './types';

/** Every operation of the action node, in the order of the drop-downs. A new one is a line here and a file. */
export const OPERATIONS: readonly Operation[] = [
	checkSetup,
	createChannel,
	deleteChannel,
	getChannel,
	getManyChannels,
	linkManagedIdentity,
	updateChannel,
	create,
	end,
	getContext,
	getManyConversations,
	sendOrStart,
	sendCustomEvent,
	downloadAttachments,
	getManyMessages,
	markAsRead,
	sendMessage,
	sendTyping,
];

const RESOURCES: Array<Resource & { value: ResourceName }> = [
	{ name: 'Channel', value: 'channel', first: 'checkSetup' },
	{ name: 'Conversation', value: 'conversation', first: 'create' },
	{ name: 'Custom Event', value: 'customEvent', first: 'send' },
	{ name: 'Message', value: 'message', first: 'send' },
];

const COMMON_OPTIONS = commonOptions('A message that may have arrived is never sent again.');

/** All fields of an operation. */
export function fieldsOf(operation: Operation): INodeProperties[] {
	return fieldsWith(operation, COMMON_OPTIONS);
}

/** All properties of the action node. */
export const properties: INodeProperties[] = propertiesOf(RESOURCES, 'message', OPERATIONS, COMMON_OPTIONS);
