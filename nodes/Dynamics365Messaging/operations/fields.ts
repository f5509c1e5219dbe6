import type { INodeProperties } from 'n8n-workflow';
import type { Sender } from '../../../emulator/messaging/contract';
import { readJson } from '../../shared/action/fields/json';
import { limitFields } from '../../shared/action/fields/limit';
import {
	conversationLocator,
	readConversationLocator,
	recordLocator,
} from '../../shared/action/fields/locator';
import { optionsField } from '../../shared/action/fields/options';
import { readId, readName, textField, type TextField } from '../../shared/action/fields/text';
import type { ParameterReader } from '../../shared/action/parameters';
import { isGuid, tidyId } from '../../shared/entra/appCredential';
import { isRecord, unlessEmpty } from '../../shared/json';
import { cut } from '../../shared/text';
import { InputError } from '../../shared/transport/errors';

/** A switch that is off by default. */
export function booleanField(name: string, displayName: string, description: string): INodeProperties {
	return { displayName, name, type: 'boolean', default: false, description };
}

/** A collection of optional fields. */
export function collectionField(
	name: string,
	displayName: string,
	options: INodeProperties[],
): INodeProperties {
	return { displayName, name, type: 'collection', placeholder: 'Add field', default: {}, options };
}

export const conversationIdField = conversationLocator(
	'The conversation. Give its ID: conversationId in the output of the trigger, Conversation: Send or Start or Create. Or choose an active one from the list.',
	'e.g. 9f6c021d-1234-4abc-8df7-123456789abc',
);

const WHERE_IDS_ARE =
	'Use the conversationId that the trigger, Conversation: Send or Start and Create give, such as 9f6c021d-1234-4abc-8df7-123456789abc. To write by your own ID of the customer, use Conversation: Send or Start.';

/**
 * Reads the conversation's ID, a GUID, also as people paste one. Source: docs/service-facts.md#conversation-ids.
 * @returns the GUID with its dashes: in the casing in which it was given, or in lower case where it was put right.
 * @throws InputError where it is empty, or no GUID.
 */
export function readConversationId(parameters: ParameterReader): string {
	const given = readConversationLocator(parameters, (text) => isGuid(tidyId(text)), WHERE_IDS_ARE);
	const id = isGuid(given.toLowerCase()) ? given : tidyId(given);
	if (isGuid(id.toLowerCase())) return id;
	throw new InputError(`Conversation is not a GUID: ${cut(given, 100)}`, WHERE_IDS_ARE);
}

/** Reads the ID of a conversation's record, in lower case: in Dataverse it becomes part of paths and filters. @throws what {@link readConversationId} throws. */
export function readRecordId(parameters: ParameterReader): string {
	return readConversationId(parameters).toLowerCase();
}

/**
 * Makes the field for a workstream, from the list of the environment's or by its ID.
 * @param which says which workstream it is, without a full stop.
 */
export function workstreamLocator(
	which: string,
	more: Pick<INodeProperties, 'required'> = {},
): INodeProperties {
	return recordLocator(
		{
			displayName: 'Workstream',
			name: 'workstreamId',
			description: `${which}. Choose it from the list, or give its ID (a GUID).`,
			...more,
		},
		'searchWorkstreams',
		'e.g. 5d7b1c10-6c2e-4a4e-9a60-0f3b2f6f8a11',
	);
}

/** The sender of a message or an event, as the representative sees it. Source: docs/service-facts.md#activities-sent. */
const SENDER_ID: TextField = { name: 'senderId', label: 'Sender ID', maxLength: 256 };
export const SENDER_NAME: TextField = { name: 'senderName', label: 'Sender Name', maxLength: 256 };

export const senderFields: INodeProperties[] = [
	textField(SENDER_ID, { description: 'Your own ID of the person who writes.' }),
	textField(SENDER_NAME, { description: 'Name of the person who writes, as the representative sees it.' }),
];

/** Reads the activity's `from`; undefined where neither ID nor name is set. @throws InputError naming the field. */
export function readSender(options: ParameterReader): Sender | undefined {
	return unlessEmpty({ id: readId(options, SENDER_ID), name: readName(options, SENDER_NAME) });
}

/**
 * The fields of an operation that lists what the Messaging API has: Return All and Limit, and Start Time among the
 * options. `readLimit` and {@link readListQuery} read them.
 */
export const listFields: INodeProperties[] = [
	...limitFields,
	optionsField([
		{
			displayName: 'Start Time',
			name: 'startTime',
			type: 'dateTime',
			default: '',
			description:
				'Return only what came after this time, such as 2026-01-31T09:00:00Z. A time without an offset is in the workflow’s time zone.',
		},
	]),
];

/** Reads the query parameters of a list: its start time, where one is set. @throws InputError naming the field. */
export function readListQuery(parameters: ParameterReader): Record<string, string> {
	const startTime = parameters.collection('options').time('startTime', 'Start Time');
	return startTime === '' ? {} : { StartTimeStamp: startTime };
}

/**
 * Reads a JSON field that holds an object, as a text or as an expression gives it; empty where it is not set.
 * @param example such an object, for the error.
 * @throws InputError naming the field.
 */
export function readJsonObject(
	parameters: ParameterReader,
	name: string,
	label: string,
	example: string,
): Record<string, unknown> {
	const raw = parameters.raw(name);
	const value = readJson(typeof raw === 'string' ? raw.trim() || '{}' : (raw ?? {}), label);
	if (!isRecord(value)) throw new InputError(`${label} is not a JSON object`, `For example ${example}`);
	return value;
}
