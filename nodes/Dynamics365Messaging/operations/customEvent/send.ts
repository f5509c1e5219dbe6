import { InputError } from '../../api/errors';
import { isRecord, parseJson } from '../../api/json';
import { activityRequest, sentItem } from '../activity';
import {
	conversationIdField,
	limitHint,
	optionsField,
	readConversationId,
	readSender,
	readTrimmed,
	senderFields,
	type TextField,
} from '../fields';
import type { ParameterReader } from '../parameters';
import type { Operation } from '../types';

/** Source: seed 002, custom events. */
const EVENT_NAME: TextField = { name: 'eventName', label: 'Event Name', maxLength: 256 };

function readEventName(parameters: ParameterReader): string {
	const name = readTrimmed(parameters, EVENT_NAME);
	if (name === '')
		throw new InputError('Event Name is empty', 'Give the name that the AI agent or the bot listens for.');
	if (name.toLowerCase() === 'messageread') {
		throw new InputError(
			'Event Name must not be MessageRead',
			'The service reserves that name. Use Message: Mark as Read instead.',
		);
	}
	return name;
}

function readEventValue(parameters: ParameterReader): string {
	const raw = parameters.raw('eventValue');
	const value = typeof raw === 'string' ? (raw.trim() === '' ? {} : parseJson(raw)) : (raw ?? {});
	if (!isRecord(value)) {
		throw new InputError('Event Value is not a JSON object', 'For example { "orderNumber": "A-100" }');
	}
	return JSON.stringify(value);
}

export const send: Operation = {
	resource: 'customEvent',
	operation: 'send',
	name: 'Send',
	action: 'Send a custom event',
	description: 'Tell an AI agent something that neither customer nor representative sees',
	fields: [
		conversationIdField,
		{
			displayName: EVENT_NAME.label,
			name: EVENT_NAME.name,
			type: 'string',
			required: true,
			default: '',
			placeholder: 'e.g. OrderPlaced',
			description: `Name that the AI agent listens for. ${limitHint(EVENT_NAME)}; MessageRead is reserved.`,
		},
		{
			displayName: 'Event Value (JSON)',
			name: 'eventValue',
			type: 'json',
			default: '{}',
			placeholder: 'e.g. { "orderNumber": "A-100" }',
			description:
				'An object of names and values; a value can also be an object with value and isDisplayable, which says whether the representative sees it',
		},
		optionsField(senderFields),
	],
	plan: (parameters, channelId) => {
		const conversationId = readConversationId(parameters);
		const name = readEventName(parameters);
		return {
			kind: 'call',
			request: activityRequest(channelId, conversationId, {
				type: 'event',
				name,
				from: readSender(parameters.collection('options')),
				channelData: {
					customEvent: true,
					customEventName: name,
					customEventValue: readEventValue(parameters),
				},
			}),
			toItems: sentItem(conversationId),
		};
	},
};
