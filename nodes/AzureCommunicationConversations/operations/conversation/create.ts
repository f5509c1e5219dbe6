import type { CreateConversationRequest } from '../../../../emulator/communication/contract';
import { stringField } from '../../../shared/action/fields/text';
import type { SendRequest } from '../../../shared/transport/request';
import { withoutEmpty } from '../../../shared/json';
import { CONVERSATIONS_PATH } from '../../api/request';
import {
	channelIdField,
	conversationItem,
	participantsField,
	readChannelId,
	readIds,
	readParticipants,
	readStrategy,
	strategyField,
} from '../fields';
import type { Operation } from '../operation';

export const create: Operation = {
	operation: 'create',
	name: 'Create',
	action: 'Create a conversation',
	description: 'Start a conversation between your own people and customers on WhatsApp',
	effect: 'send',
	fields: [
		stringField('topic', 'Topic', 'What the conversation is about', {
			placeholder: 'e.g. Heat pump of Anna Jensen',
		}),
		channelIdField(
			'The channels (WhatsApp accounts) that reach the external participants, separated by commas.',
			{
				displayName: 'Channel IDs',
				name: 'deliveryChannelIds',
			},
		),
		participantsField,
		strategyField,
		stringField(
			'initialMessage',
			'Initial Message',
			'The first message. Leave it empty to send none. If the customer has not written in the last 24 hours, send a template instead.',
			{ typeOptions: { rows: 3 } },
		),
	],
	plan: (parameters, connection) => {
		const given = readIds(parameters, 'deliveryChannelIds', 'Channel IDs');
		const channelIds = given.length === 0 && connection.channelId ? [connection.channelId] : given;
		const participants = readParticipants(parameters);
		const conversation = withoutEmpty({
			topic: parameters.name('topic', 'Topic'),
			deliveryChannelIds:
				channelIds.length === 0
					? undefined
					: channelIds.map((id) => readChannelId(id, 'Channel IDs', connection)),
			outboundDeliveryStrategy: readStrategy(parameters),
			participants: participants.length === 0 ? undefined : participants,
		});
		const content = parameters.text('initialMessage', 'Initial Message');
		const request: SendRequest<CreateConversationRequest> = {
			method: 'POST',
			path: CONVERSATIONS_PATH,
			body: { conversation, ...(content.trim() !== '' && { initialMessage: { content } }) },
			// Of all requests that change something, only this one takes no idempotency key.
			// Source: docs/service-facts.md#acs-repeatability.
			isIdempotent: false,
			howToVerify: 'Check whether it exists (Conversation: Get Many) before you create it again.',
		};
		return { kind: 'call', request, toItems: (answer) => [conversationItem(answer)] };
	},
};
