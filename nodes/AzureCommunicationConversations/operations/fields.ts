import { unescape } from 'node:querystring';
import type { IDataObject, INodeProperties } from 'n8n-workflow';
import type { Conversation, Participant } from '../../../emulator/communication/contract';
import { conversationLocator, readConversationId as readLocator } from '../../shared/action/fields/locator';
import type { ParameterReader } from '../../shared/action/parameters';
import { isGuid, tidyId } from '../../shared/entra/appCredential';
import { nonEmptyText, readKey, textOf, type Json } from '../../shared/json';
import { InputError } from '../../shared/transport/errors';

export const conversationIdField = conversationLocator(
	'The conversation, by its ID, which Conversation: Create and Get Many give as conversationId',
	'e.g. 19:34adfa4f-cedf-4dc0-ba29-b6d1a69ab345@thread.v2',
);

/**
 * Reads the conversation's ID.
 * @throws InputError where it is empty, or would change the path of the URL that it is put into.
 */
export function readConversationId(parameters: ParameterReader): string {
	const id = readLocator(
		parameters,
		'Use the conversationId from Conversation: Create or Get Many. It looks like 19:…@thread.v2.',
	);
	// From a URL it may come as it stands there.
	return /^19%3a/i.test(id) ? unescape(id) : id;
}

/** The id of a channel of the resource, a GUID. */
export function readChannelId(value: string, label: string): string {
	const id = tidyId(value);
	if (!isGuid(id)) {
		throw new InputError(
			id === '' ? `${label} is empty` : `${label}: ${value.trim()} is not a channel’s ID`,
			'Copy it from the Azure portal: the resource, Channels. It looks like 9d30742c-1a2b-4c3d-8e4f-5a6b7c8d9e0f.',
		);
	}
	return id;
}

/** Who gets a message that a participant sends. Source: docs/service-facts.md#acs-delivery-strategy. */
export const strategyField: INodeProperties = {
	displayName: 'Deliver To',
	name: 'outboundDeliveryStrategy',
	type: 'options',
	default: '',
	options: [
		{
			name: 'All Participants',
			value: 'allParticipants',
			description: 'External ones too: customers get it on WhatsApp',
		},
		{ name: 'Default', value: '', description: 'As the conversation, or the service, says' },
		{ name: 'Internal Participants Only', value: 'internalOnly', description: 'Nothing goes to customers' },
	],
	description: 'Which participants it is delivered to (outboundDeliveryStrategy)',
};

/**
 * Reads which participants a message is delivered to.
 * @returns undefined where the conversation's own setting is to hold.
 * @throws InputError where it is not one that the service has.
 */
export function readStrategy(parameters: ParameterReader): Conversation['outboundDeliveryStrategy'] {
	const strategy = parameters.text(strategyField.name, strategyField.displayName);
	if (strategy === '') return undefined;
	if (strategy === 'allParticipants' || strategy === 'internalOnly') return strategy;
	throw new InputError(
		'Deliver To is not one that the service has',
		'Give allParticipants, internalOnly, or nothing.',
	);
}

/** A conversation as an item. Its id comes as `id`, and in an example of Microsoft's as `conversationId`. */
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

/** The participants of a person's list, each with one contact. Source: docs/service-facts.md#acs-participants. */
export const participantsField: INodeProperties = {
	displayName: 'Participants',
	name: 'participants',
	type: 'fixedCollection',
	typeOptions: { multipleValues: true },
	placeholder: 'Add participant',
	default: {},
	description: 'Who takes part: customers on WhatsApp, and people of your own by their communication user',
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
							name: 'Internal (Communication User)',
							value: 'internal',
							description: 'Somebody of your own, or a bot',
						},
					],
				},
				{
					displayName: 'WhatsApp Number or User ID',
					name: 'contactId',
					type: 'string',
					default: '',
					placeholder: 'e.g. +14255550123',
					description:
						'Of an external participant the WhatsApp number with its country code, of an internal one the communication user ID (8:acs:…)',
				},
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

/** A telephone number as people write it, without blanks, brackets and dashes; anything else as it is. */
function withoutPunctuation(id: string): string {
	return /^\+?[\d\s()./-]+$/.test(id) ? id.replace(/[^\d+]/g, '') : id;
}

/** The participants as the service takes them. @throws InputError naming the row. */
export function readParticipants(parameters: ParameterReader): Participant[] {
	return parameters.rows('participants', 'participant').map((row, index): Participant => {
		const which = `Participant ${index + 1}`;
		const kind = row.text('kind', `${which}: Kind`) || 'external';
		if (kind !== 'external' && kind !== 'internal') {
			throw new InputError(`${which}: Kind is unknown`, 'Give external or internal.');
		}
		const id = row.text('contactId', `${which}: WhatsApp Number or User ID`).trim();
		if (id === '') {
			throw new InputError(
				`${which} has neither a WhatsApp number nor a user ID`,
				'Give the WhatsApp number with its country code, or the communication user ID.',
			);
		}
		const displayName = row.text('displayName', `${which}: Display Name`).trim();
		const named = displayName === '' ? {} : { displayName };
		return kind === 'external'
			? { kind, ...named, contacts: [{ id: withoutPunctuation(id), kind: 'whatsApp' }] }
			: { kind, ...named, contact: { id, kind: 'communication' } };
	});
}

/** Values that a person separates by commas or lines, or gives as a list. */
export function readIds(parameters: ParameterReader, name: string, label: string): string[] {
	const given = parameters.raw(name);
	const values = Array.isArray(given)
		? given.map((value) => textOf(value) ?? '')
		: parameters.text(name, label).split(/[,\n]/);
	return values.map((value) => value.trim()).filter((value) => value !== '');
}
