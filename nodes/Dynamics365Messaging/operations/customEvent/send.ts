import { optionsField } from '../../../shared/action/fields/options';
import { limitHint, readName, stringField, type TextField } from '../../../shared/action/fields/text';
import type { ParameterReader } from '../../../shared/action/parameters';
import { isRecord } from '../../../shared/json';
import { InputError } from '../../../shared/transport/errors';
import { activityPlan } from '../activityPlan';
import { conversationIdField, readConversationId, readJsonObject, readSender, senderFields } from '../fields';
import type { Operation } from '../operation';

/** Source: docs/service-facts.md#custom-events. */
const EVENT_NAME: TextField = { name: 'eventName', label: 'Event Name', maxLength: 256 };

function readEventName(parameters: ParameterReader): string {
	const name = readName(parameters, EVENT_NAME);
	if (name === '') throw new InputError('Event Name is empty', 'Give the name that the AI agent expects.');
	if (name.toLowerCase() === 'messageread') {
		throw new InputError(
			'Event Name must not be MessageRead',
			'The service reserves that name. Use Message: Mark as Read instead.',
		);
	}
	return name;
}

/**
 * Reads Event Value. Where a value is an object that says whether the representative sees it, that must be a boolean: any
 * other value would show what is to be hidden. @throws InputError naming the field.
 */
function readEventValue(parameters: ParameterReader): Record<string, unknown> {
	const value = readJsonObject(parameters, 'eventValue', 'Event Value', '{ "orderNumber": "A-100" }');
	for (const [name, given] of Object.entries(value)) {
		if (isRecord(given) && Object.hasOwn(given, 'isDisplayable') && typeof given.isDisplayable !== 'boolean')
			throw new InputError(
				`Event Value: isDisplayable of ${name} is neither true nor false`,
				'Give true or false without quotes.',
			);
	}
	return value;
}

export const send: Operation = {
	operation: 'send',
	name: 'Send',
	action: 'Send a custom event to the AI agent',
	description:
		'Send data to the AI agent of a conversation, such as that an order was placed. No message appears in the conversation.',
	effect: 'send',
	fields: [
		conversationIdField,
		stringField(
			EVENT_NAME.name,
			EVENT_NAME.label,
			`Name of the event, exactly as the AI agent expects it. ${limitHint(EVENT_NAME)}; MessageRead is reserved.`,
			{ required: true, placeholder: 'e.g. OrderPlaced' },
		),
		{
			displayName: 'Event Value (JSON)',
			name: 'eventValue',
			type: 'json',
			default: '{}',
			placeholder: 'e.g. { "orderNumber": "A-100" }',
			description:
				'JSON object of names and values, such as { "orderNumber": "A-100" }. A value can also be an object with value and isDisplayable (whether the representative sees it).',
		},
		optionsField(senderFields),
	],
	plan: (parameters, { channelId }) => {
		const conversationId = readConversationId(parameters);
		const name = readEventName(parameters);
		const from = readSender(parameters.collection('options'));
		const value = readEventValue(parameters);
		return activityPlan(channelId, conversationId, {
			type: 'event',
			name,
			from,
			channelData: {
				customEvent: true,
				customEventName: name,
				customEventValue: JSON.stringify(value),
			},
		});
	},
};
