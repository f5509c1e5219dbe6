import { byName, optionsField } from '../../../shared/action/fields/options';
import { textField } from '../../../shared/action/fields/text';
import { InputError } from '../../../shared/transport/errors';
import { activityRequest } from '../../messagingApi/sendActivity';
import { deliverMessage } from '../../messagingApi/startConversation';
import { SENDER_NAME } from '../fields';
import { bodyFields, bodyOptions, readMessageBody } from '../messageBody';
import { checkMessageSize } from '../messageSize';
import type { Operation } from '../operation';
import {
	CUSTOMER_ID,
	CUSTOMER_ID_NOTICE,
	customerFields,
	checkStartSize,
	customerOrderingKey,
	readConversationStart,
	readCustomerId,
	startMessageOf,
	startOptions,
	unusedHint,
} from './startFields';

export const sendOrStart: Operation = {
	operation: 'sendOrStart',
	name: 'Send or Start',
	action: 'Send message or start conversation',
	description:
		'Send a message for a customer, by your own customer ID: in the active conversation, or in a new one. The message is delivered once.',
	effect: 'send',
	toolNotice: CUSTOMER_ID_NOTICE,
	fields: [
		textField(CUSTOMER_ID, {
			required: true,
			placeholder: 'e.g. jdoe123',
			description:
				'Your own ID of the customer. Use the same ID each time: it finds the active conversation.',
		}),
		...bodyFields,
		...customerFields,
		optionsField(byName([...bodyOptions, ...Object.values(startOptions)])),
	],
	plan: (parameters, { channelId }) => {
		const customerId = readCustomerId(parameters);
		if (customerId === '') {
			throw new InputError(
				'Customer ID is empty',
				'Enter your own ID of the customer. It finds the active conversation.',
			);
		}
		const options = parameters.collection('options');
		const activity = readMessageBody(parameters);
		const { text: message = '', attachments, channelData } = activity;
		// A start message never reaches the AI agent, and cannot carry files or be marked as automated.
		const canStart = options.flag('skipAiAgent', 'Skip AI Agent') && !attachments && !channelData;
		const displayname =
			options.name('startMessageDisplayName', 'Display Name') ||
			options.name(SENDER_NAME.name, SENDER_NAME.label);
		const start = readConversationStart(
			parameters,
			canStart ? startMessageOf(message, displayname) : undefined,
		);
		const request = (conversationId: string) => activityRequest(channelId, conversationId, activity);
		// Whichever of the two the words go by; the ID of a conversation is as long as that of the channel.
		checkMessageSize(request(channelId).body ?? {}, 'The message', 'Send it as several messages.');
		checkStartSize(start);
		return {
			kind: 'steps',
			orderingKey: customerOrderingKey(customerId),
			run: async ({ client, seen }) => {
				const starter = { client: client('messagingApi'), seen };
				const { mayBeOlder, ...json } = await deliverMessage(starter, { start, message: request });
				return { items: [{ json }], hint: unusedHint(start, json.isNew, mayBeOlder) };
			},
		};
	},
};
