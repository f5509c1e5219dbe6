import type { IDataObject, INodeProperties } from 'n8n-workflow';
import type { Conversation, Participant } from '../../../emulator/communication/contract';
import { conversationLocator, readConversationLocator } from '../../shared/action/fields/locator';
import { stringField } from '../../shared/action/fields/text';
import { readId, type ParameterReader } from '../../shared/action/parameters';
import { isGuid, tidyId } from '../../shared/entra/appCredential';
import { nonEmptyText, readKey, textOf, type Json } from '../../shared/json';
import { InputError } from '../../shared/transport/errors';
import type { Connection } from '../api/connection';

/** The field for a conversation. */
export const conversationIdField = conversationLocator(
	'The conversation. Conversation: Create and Get Many give its ID as conversationId.',
	'e.g. 19:34adfa4f-cedf-4dc0-ba29-b6d1a69ab345@thread.v2',
);

/** The form of a conversation's ID: `19:…@thread.v2`. Source: docs/service-facts.md#acs-calls. */
function isConversationId(id: string): boolean {
	return /^19:\w[\w.:+=-]*(@[\w.-]+)?$/.test(id);
}

/**
 * Reads the ID of a conversation, also as it is written in a URL.
 * @throws InputError where it is empty, or would change the path of the URL.
 */
export function readConversationId(parameters: ParameterReader): string {
	return readConversationLocator(
		parameters,
		isConversationId,
		'Use the conversationId from Conversation: Create or Get Many. It looks like 19:…@thread.v2.',
	);
}

/** How the field for a channel ends its description. */
const FROM_CREDENTIAL = 'Leave it empty to use the one of the credential.';

/**
 * Makes the field for the ID of a channel.
 * @param description whole sentences. That the credential's is used where it is empty follows them.
 * @param more its other properties.
 */
export function channelIdField(description: string, more: Partial<INodeProperties> = {}): INodeProperties {
	const placeholder = 'e.g. 9d30742c-1a2b-4c3d-8e4f-5a6b7c8d9e0f';
	return stringField('channelId', 'Channel ID', `${description} ${FROM_CREDENTIAL}`, {
		placeholder,
		...more,
	});
}

/** Says that an operation needs a channel and finds none. n8n shows the message alone where a list cannot be filled. */
function noChannel(label: string): InputError {
	return new InputError(
		`${label} is empty, here and in the credential: enter it in one of them (Azure portal: the resource, Channels)`,
		'It looks like 9d30742c-1a2b-4c3d-8e4f-5a6b7c8d9e0f.',
	);
}

/**
 * Reads the ID of a channel, a GUID.
 * @param value of the field; where it is empty, the channel of the credential is taken.
 * @param label the name of the field.
 * @param connection the credential.
 * @throws InputError where there is none in either, or it is no GUID.
 */
export function readChannelId(
	value: string,
	label: string,
	{ channelId }: Pick<Connection, 'channelId'>,
): string {
	const id = tidyId(value) || channelId;
	if (id === undefined) throw noChannel(label);
	if (!isGuid(id)) {
		throw new InputError(
			`${label}: ${value.trim()} is not a channel’s ID`,
			'Copy it from the Azure portal: the resource, Channels. It looks like 9d30742c-1a2b-4c3d-8e4f-5a6b7c8d9e0f.',
		);
	}
	return id;
}

/** The field for who gets a message. Source: docs/service-facts.md#acs-delivery-strategy. */
export const strategyField: INodeProperties = {
	displayName: 'Deliver To',
	name: 'outboundDeliveryStrategy',
	type: 'options',
	default: '',
	options: [
		{
			name: 'All Participants',
			value: 'allParticipants',
			description: 'Customers get it too, on WhatsApp',
		},
		{ name: 'Default', value: '', description: 'Use the setting of the conversation or the service' },
		{ name: 'Internal Participants Only', value: 'internalOnly', description: 'Nothing goes to customers' },
	],
	description: 'Who gets the message (outboundDeliveryStrategy)',
};

/**
 * Reads who gets a message.
 * @returns undefined for the setting of the conversation.
 * @throws InputError where the service has no such strategy.
 */
export function readStrategy(parameters: ParameterReader): Conversation['outboundDeliveryStrategy'] {
	const strategy = parameters.text(strategyField.name, strategyField.displayName);
	if (strategy === '') return undefined;
	if (strategy === 'allParticipants' || strategy === 'internalOnly') return strategy;
	throw new InputError('Deliver To is unknown', 'Give allParticipants, internalOnly, or nothing.');
}

/** Makes the item of a conversation. The ID has the key `id`, and `conversationId` in an example of Microsoft's. */
export function conversationItem(
	entry: Json,
): IDataObject & { conversationId: string; topic: string | null } {
	const list = (key: string) => {
		const value = readKey(entry, key);
		return Array.isArray(value) ? value : [];
	};
	return {
		conversationId: textOf(readKey(entry, 'id') ?? readKey(entry, 'conversationId')) ?? '',
		topic: nonEmptyText(readKey(entry, 'topic')),
		deliveryChannelIds: list('deliveryChannelIds'),
		outboundDeliveryStrategy: nonEmptyText(readKey(entry, 'outboundDeliveryStrategy')),
		participants: list('participants'),
	};
}

/** The field for participants, each with one contact. Source: docs/service-facts.md#acs-participants. */
export const participantsField: INodeProperties = {
	displayName: 'Participants',
	name: 'participants',
	type: 'fixedCollection',
	typeOptions: { multipleValues: true },
	placeholder: 'Add participant',
	default: {},
	description: 'The people in the conversation: customers on WhatsApp, and your own people and bots',
	options: [
		{
			displayName: 'Participant',
			name: 'participant',
			values: [
				{
					displayName: 'Kind',
					name: 'kind',
					type: 'options',
					default: 'external',
					options: [
						{ name: 'External (WhatsApp)', value: 'external', description: 'A customer' },
						{
							name: 'Internal (Bot)',
							value: 'bot',
							description: 'Your own bot, with its communication user and its app',
						},
						{
							name: 'Internal (Communication User)',
							value: 'internal',
							description: 'One of your own people',
						},
					],
				},
				stringField(
					'contactId',
					'WhatsApp Number or User ID',
					'For a customer, the WhatsApp number with its country code, or the business-scoped user ID (such as US.1349…). For your own people and bots, the communication user ID (8:acs:…).',
					{ placeholder: 'e.g. +14255550123' },
				),
				stringField('botAppId', 'Bot App ID', 'App ID of the bot in Microsoft Entra', {
					displayOptions: { show: { kind: ['bot'] } },
					placeholder: 'e.g. 9f6c021d-1234-4abc-8df7-123456789abc',
				}),
				{
					displayName: 'Display Name',
					name: 'displayName',
					type: 'string',
					default: '',
					placeholder: 'e.g. Anna Jensen',
				},
			],
		},
	],
};

/** Removes spaces, brackets and dashes from a telephone number, and returns any other text as it is. */
function withoutPunctuation(id: string): string {
	return /^\+?[\d\s()./-]+$/.test(id) ? id.replace(/[^\d+]/g, '') : id;
}

/** Reads participants in the form of the service. @throws InputError with the number of the wrong row. */
export function readParticipants(parameters: ParameterReader): Participant[] {
	return parameters.rows('participants', 'participant').map((row, index): Participant => {
		const which = `Participant ${index + 1}`;
		const kind = row.text('kind', `${which}: Kind`) || 'external';
		if (kind !== 'external' && kind !== 'internal' && kind !== 'bot') {
			throw new InputError(`${which}: Kind is unknown`, 'Give external, internal or bot.');
		}
		const id = row.id('contactId', `${which}: WhatsApp Number or User ID`);
		if (id === '') {
			throw new InputError(
				`${which} has neither a WhatsApp number nor a user ID`,
				'Give the WhatsApp number with its country code, or the communication user ID.',
			);
		}
		const displayName = row.name('displayName', `${which}: Display Name`);
		const named = displayName === '' ? {} : { displayName };
		if (kind === 'external')
			return { kind, ...named, contacts: [{ id: withoutPunctuation(id), kind: 'whatsApp' }] };
		if (kind === 'internal') return { kind, ...named, contact: { id, kind: 'communication' } };
		const botAppId = row.id('botAppId', `${which}: Bot App ID`);
		if (botAppId === '')
			throw new InputError(`${which} has no Bot App ID`, 'Give the app ID of the bot in Microsoft Entra.');
		return { kind: 'internal', ...named, contact: { id, kind: 'bot', botAppId } };
	});
}

/** Reads IDs, separated by commas or line breaks, or from a list. @throws InputError naming the field. */
export function readIds(parameters: ParameterReader, name: string, label: string): string[] {
	const raw = parameters.raw(name);
	const values: unknown[] = Array.isArray(raw) ? raw : parameters.text(name, label).split(/[,\n]/);
	return values.map((value) => readId(value, label)).filter((value) => value !== '');
}
