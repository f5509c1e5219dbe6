import { byName, optionsField } from '../../../shared/action/fields/options';
import { textField } from '../../../shared/action/fields/text';
import { InputError } from '../../../shared/transport/errors';
import { deliverMessage } from '../../messagingApi/startConversation';
import { SENDER_NAME } from '../fields';
import { bodyFields, bodyOptions, readMessageBody } from '../messageBody';
import type { Operation } from '../operation';
import {
	CUSTOMER_ID,
	customerFields,
	customerOrderingKey,
	readConversationStart,
	readCustomerId,
	startOptions,
	unusedHint,
} from './startFields';

export const sendOrStart: Operation = {
	operation: 'sendOrStart',
	name: 'Send or Start',
	action: 'Send message or start conversation',
	description: 'Say something by customer ID, in the active conversation or in a new one. Delivered once.',
	effect: 'send',
	fields: [
		textField(CUSTOMER_ID, {
			required: true,
			placeholder: 'e.g. jdoe123',
			description:
				'Your own ID of the customer, the same each time, by which the active conversation is found.',
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
				'Give your own ID of the customer: without it the active conversation cannot be found.',
			);
		}
		const options = parameters.collection('options');
		const { text, hasAttachments, isAutomated, request } = readMessageBody(parameters, channelId);
		// A start message never reaches the AI agent, and carries no files and no mark.
		const asStartMessage = options.flag('skipAiAgent') && !hasAttachments && !isAutomated;
		const displayname =
			options.text('startMessageDisplayName', 'Display Name') ||
			options.text(SENDER_NAME.name, SENDER_NAME.label);
		const startMessage = displayname === '' ? { message: text } : { message: text, displayname };
		const start = readConversationStart(parameters, asStartMessage ? startMessage : undefined);
		return {
			kind: 'steps',
			orderingKey: customerOrderingKey(customerId),
			run: async ({ client, seen }) => {
				const starter = { client: client('messagingApi'), seen };
				const delivered = await deliverMessage(starter, { start, message: request });
				return { items: [{ json: { ...delivered } }], hint: unusedHint(start, delivered.isNew) };
			},
		};
	},
};
