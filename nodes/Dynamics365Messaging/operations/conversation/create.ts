import type { StartMessage } from '../../../../emulator/messaging/contract';
import { optionsField } from '../../../shared/action/fields/options';
import { stringField, textField } from '../../../shared/action/fields/text';
import type { ParameterReader } from '../../../shared/action/parameters';
import { InputError } from '../../../shared/transport/errors';
import { startConversation } from '../../messagingApi/startConversation';
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

/** Source: docs/service-facts.md#create-body. */
const START_MESSAGE_MAX_BYTES = 27 * 1024;

function readStartMessage(options: ParameterReader): StartMessage | undefined {
	const message = options.text('startMessage', 'Start Message');
	const bytes = Buffer.byteLength(message, 'utf8');
	if (bytes > START_MESSAGE_MAX_BYTES) {
		throw new InputError(
			`Start Message is longer than ${START_MESSAGE_MAX_BYTES / 1024} KB`,
			`It has ${bytes.toLocaleString('en-US')} bytes. Shorten it, or send it as messages.`,
		);
	}
	if (message === '') return undefined;
	return startMessageOf(message, options.name('startMessageDisplayName', 'Display Name'));
}

const START_MESSAGE_DROPPED =
	'A start message was not delivered, because the conversation is active already. Conversation: Send or Start delivers it in any case.';

export const create: Operation = {
	operation: 'create',
	name: 'Create',
	action: 'Create a conversation for a customer',
	description: 'Open a conversation for a customer, or get the active one of the same customer ID',
	effect: 'send',
	toolNotice: CUSTOMER_ID_NOTICE,
	fields: [
		textField(CUSTOMER_ID, {
			placeholder: 'e.g. jdoe123',
			description:
				'Your own ID of the customer. Use the same ID each time: a customer who has an active conversation gets that one instead of a new one.',
		}),
		...customerFields,
		optionsField([
			startOptions.createPath,
			startOptions.requestId,
			startOptions.skipAiAgent,
			stringField(
				'startMessage',
				'Start Message',
				`First message of the customer, at most ${START_MESSAGE_MAX_BYTES / 1024} KB. Only the representative gets it, not the AI agent. It is lost if the customer already has an active conversation (isNew is false); Conversation: Send or Start delivers it in every case.`,
				{ typeOptions: { rows: 2 } },
			),
			startOptions.displayName,
		]),
	],
	plan: (parameters) => {
		const options = parameters.collection('options');
		const customerId = readCustomerId(parameters);
		const startMessage = readStartMessage(options);
		const start = readConversationStart(parameters, startMessage);
		checkStartSize(start);
		return {
			kind: 'steps',
			orderingKey: customerId === '' ? undefined : customerOrderingKey(customerId),
			run: async ({ client, seen }) => {
				const starter = { client: client('messagingApi'), seen };
				const started = await startConversation(starter, start);
				const { conversationId, isNew, messageId, mayBeOlder } = started;
				const isDropped = started.startMessage === 'dropped';
				return {
					items: [{ json: { conversationId, isNew, messageId } }],
					hint: isDropped ? START_MESSAGE_DROPPED : unusedHint(start, isNew, mayBeOlder),
				};
			},
		};
	},
};
