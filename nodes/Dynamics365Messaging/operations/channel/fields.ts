import type { INodeProperties } from 'n8n-workflow';
import type { ChannelRow } from '../../../../emulator/dataverse/contract';
import { readTrimmed, textField, type TextField } from '../../../shared/action/fields/text';
import type { ParameterReader } from '../../../shared/action/parameters';
import { isGuid, tidyId } from '../../../shared/entra/appCredential';
import { InputError } from '../../../shared/transport/errors';
import { TABLES } from '../../dataverse/requests';
import { whyNotRegistrable } from '../../setup/webhookUrl';
import type { CredentialIds } from '../operation';

/** Source: docs/service-facts.md#channel-record. */
const NAME: TextField = { name: 'name', label: 'Name', maxLength: 100 };
const WEBHOOK_URL: TextField = { name: 'webhookUrl', label: 'Webhook URL', maxLength: 500 };

const EMPTY_IS_CREDENTIAL = 'Left empty, it is the one of the credential';

export const channelIdField: INodeProperties = {
	displayName: 'Channel ID',
	name: 'channelId',
	type: 'string',
	default: '',
	placeholder: 'e.g. 3e8a1c52-90ab-4cde-8f01-23456789abcd',
	description: `ID of the Messaging API channel record (a GUID). ${EMPTY_IS_CREDENTIAL}.`,
};

/** Where a field that came out empty must not mean the channel that is in use: what changes or deletes one. */
export const requiredChannelIdField: INodeProperties = {
	...channelIdField,
	required: true,
	description: 'ID of the Messaging API channel record (a GUID)',
};

/** Whose channel it is: app and tenant, with the credential's for a default. */
export const ownerFields: INodeProperties[] = [
	{
		displayName: 'App ID',
		name: 'appId',
		type: 'string',
		default: '',
		placeholder: 'e.g. 9f6c021d-1234-4abc-8df7-123456789abc',
		description: `Application (client) ID of the app that calls the Messaging API. ${EMPTY_IS_CREDENTIAL}.`,
	},
	{
		displayName: 'Tenant ID',
		name: 'tenantId',
		type: 'string',
		default: '',
		placeholder: 'e.g. b5122edb-5678-4def-99e2-abcdef123456',
		description: `Directory (tenant) ID of that app, a GUID. ${EMPTY_IS_CREDENTIAL}.`,
	},
];

export const nameField = textField(NAME, {
	placeholder: 'e.g. App chat',
	description: 'Name of the channel, as workstreams show it.',
});

export const webhookUrlField = textField(WEBHOOK_URL, {
	placeholder: 'e.g. https://n8n.example.com/webhook/…',
	description:
		'Production URL of the Dynamics 365 Messaging Trigger, to which Dynamics 365 sends what happens.',
});

/** What a channel may have beside its name and URL, in the order of their names. */
export const optionalFields: INodeProperties[] = [
	{
		displayName: 'Attachments of Customers',
		name: 'attachmentsForCustomers',
		type: 'boolean',
		default: false,
		description: 'Whether customers may send files',
	},
	{
		displayName: 'Attachments of Representatives',
		name: 'attachmentsForAgents',
		type: 'boolean',
		default: false,
		description: 'Whether representatives and AI agents may send files',
	},
	{
		displayName: 'Workstream ID',
		name: 'workstreamId',
		type: 'string',
		default: '',
		placeholder: 'e.g. 5d7b1c10-6c2e-4a4e-9a60-0f3b2f6f8a11',
		description:
			'ID of the messaging workstream that the channel belongs to (a GUID), without which conversations are refused',
	},
];

/**
 * Reads a GUID that was pasted.
 * @param fallback where nothing is given; undefined where it must be.
 * @throws InputError naming the field.
 */
export function readGuid(
	parameters: ParameterReader,
	name: string,
	label: string,
	fallback?: string,
): string {
	const given = tidyId(parameters.text(name, label));
	const id = given === '' ? (fallback ?? '') : given;
	if (!isGuid(id)) {
		throw new InputError(
			id === '' ? `${label} is empty` : `${label} is not a GUID`,
			'It looks like 9f6c021d-1234-4abc-8df7-123456789abc.',
		);
	}
	return id;
}

/** The channel that is meant. */
export function readChannelId(parameters: ParameterReader, { channelId }: CredentialIds): string {
	return readGuid(parameters, channelIdField.name, channelIdField.displayName, channelId);
}

/** Checks a webhook URL, as Dynamics does not: it takes any and then delivers nothing. */
function checkWebhookUrl(webhookUrl: string, { origin, environmentUrl }: CredentialIds): string {
	const reason = whyNotRegistrable(webhookUrl, [origin, environmentUrl]);
	if (reason === undefined) return webhookUrl;
	throw new InputError(
		`Webhook URL cannot be called by Dynamics 365: ${reason}`,
		'Copy the production URL of the trigger, with n8n’s public address, which starts with https:// and has a certificate that is not self-signed.',
	);
}

/**
 * Reads name and webhook URL; what is not given is left out.
 * @throws InputError naming the field.
 */
export function readNaming(parameters: ParameterReader, credential: CredentialIds): ChannelRow {
	const name = readTrimmed(parameters, NAME);
	const webhookUrl = readTrimmed(parameters, WEBHOOK_URL);
	return {
		...(name !== '' && { msdyn_name: name }),
		...(webhookUrl !== '' && { msdyn_webhookurl: checkWebhookUrl(webhookUrl, credential) }),
	};
}

/** Whether a collection holds a field. */
function isGiven(collection: ParameterReader, name: string): boolean {
	return collection.raw(name) !== undefined && collection.raw(name) !== '';
}

/**
 * Reads the optional fields of a collection; what is not in it is left out.
 * @throws InputError naming the field.
 */
export function readOptional(collection: ParameterReader): ChannelRow {
	const switches = {
		attachmentsForAgents: 'msdyn_enablefileattachmentsforagents',
		attachmentsForCustomers: 'msdyn_enablefileattachmentsforcustomers',
	};
	const given = Object.entries(switches).filter(([name]) => isGiven(collection, name));
	const columns = Object.fromEntries(given.map(([name, column]) => [column, collection.flag(name)]));
	if (!isGiven(collection, 'workstreamId')) return columns;
	const workstreamId = readGuid(collection, 'workstreamId', 'Workstream ID');
	return { ...columns, 'msdyn_liveworkstreamid@odata.bind': `/${TABLES.workstreams}(${workstreamId})` };
}

/** The fields of a collection that are there, but empty: they are to be cleared. */
export function readCleared(collection: ParameterReader): ChannelRow {
	const clearable = { webhookUrl: 'msdyn_webhookurl', workstreamId: 'msdyn_liveworkstreamid@odata.bind' };
	const cleared = Object.entries(clearable).filter(([name]) => collection.raw(name) === '');
	return Object.fromEntries(cleared.map(([, column]) => [column, null]));
}

/** Reads the app and the tenant of a collection; what is not in it is left out. */
export function readOwnerChanges(collection: ParameterReader): ChannelRow {
	return {
		...(isGiven(collection, 'appId') && { msdyn_appid: readGuid(collection, 'appId', 'App ID') }),
		...(isGiven(collection, 'tenantId') && { msdyn_tenantid: readGuid(collection, 'tenantId', 'Tenant ID') }),
	};
}

/** App and tenant, those of the credential where they are not given. */
export function readOwner(
	parameters: ParameterReader,
	{ clientId, tenantId }: CredentialIds,
): { appId: string; tenantId: string } {
	return {
		appId: readGuid(parameters, 'appId', 'App ID', clientId),
		tenantId: readGuid(parameters, 'tenantId', 'Tenant ID', tenantId),
	};
}
