import type { INodeProperties } from 'n8n-workflow';
import type { ChannelRow } from '../../../../emulator/dataverse/contract';
import { recordLocator } from '../../../shared/action/fields/locator';
import { byName } from '../../../shared/action/fields/options';
import { readName, stringField, textField, type TextField } from '../../../shared/action/fields/text';
import type { ParameterReader } from '../../../shared/action/parameters';
import { tidyId } from '../../../shared/entra/appCredential';
import { withoutEmpty } from '../../../shared/json';
import { InputError } from '../../../shared/transport/errors';
import { TABLES } from '../../dataverse/requests';
import { whyNotRegistrable } from '../../setup/webhookUrl';
import { booleanField, workstreamLocator } from '../fields';
import type { CredentialIds } from '../operation';
import { clearableSettings, readSettingsFields, settingsFields } from './settings';
import { checkGuid, isBlank, valuesOf } from './values';

/** Source: docs/service-facts.md#channel-record. */
const NAME: TextField = { name: 'name', label: 'Name', maxLength: 100 };
const WEBHOOK_URL: TextField = { name: 'webhookUrl', label: 'Webhook URL', maxLength: 500 };

const EMPTY_IS_CREDENTIAL = 'Leave it empty to use the one in the credential';

/** Makes the field for a channel, from the list of the environment's or by its ID. */
function channelLocator(whenEmpty: string, more: Pick<INodeProperties, 'required'> = {}): INodeProperties {
	return recordLocator(
		{
			displayName: 'Channel',
			name: 'channelId',
			description: `The Messaging API channel. Choose it from the list, or give its ID (a GUID).${whenEmpty}`,
			...more,
		},
		'searchChannels',
		'e.g. 3e8a1c52-90ab-4cde-8f01-23456789abcd',
	);
}

export const channelIdField = channelLocator(` ${EMPTY_IS_CREDENTIAL}.`);

/** For changing or deleting a channel: an expression that came out empty must not mean the channel in use. */
export const requiredChannelIdField = channelLocator('', { required: true });

/** The channel's app and tenant, by default those of the credential. */
export const ownerFields: INodeProperties[] = [
	stringField(
		'appId',
		'App ID',
		`Application (client) ID of the app that calls the Messaging API. ${EMPTY_IS_CREDENTIAL}.`,
		{ placeholder: 'e.g. 9f6c021d-1234-4abc-8df7-123456789abc' },
	),
	stringField('tenantId', 'Tenant ID', `Directory (tenant) ID of that app, a GUID. ${EMPTY_IS_CREDENTIAL}.`, {
		placeholder: 'e.g. b5122edb-5678-4def-99e2-abcdef123456',
	}),
];

export const nameField = textField(NAME, {
	placeholder: 'e.g. App chat',
	description: 'Name of the channel, as the admin center shows it.',
});

export const webhookUrlField = textField(WEBHOOK_URL, {
	placeholder: 'e.g. https://n8n.example.com/webhook/…',
	description:
		'Production URL of the Dynamics 365 Messaging Trigger. Dynamics 365 sends messages and events to it.',
});

/** A channel's optional fields, in the order of their names. */
export const optionalFields: INodeProperties[] = byName([
	...settingsFields,
	booleanField('attachmentsForCustomers', 'Attachments of Customers', 'Whether customers may send files'),
	booleanField(
		'attachmentsForAgents',
		'Attachments of Representatives',
		'Whether representatives and AI agents may send files',
	),
	workstreamLocator('The messaging workstream of the channel. Without one, conversations are refused'),
]);

/** The columns that an update clears where their fields are empty, by the names of the fields. */
const CLEARABLE: Readonly<Record<string, string>> = {
	webhookUrl: 'msdyn_webhookurl',
	workstreamId: 'msdyn_liveworkstreamid@odata.bind',
	...clearableSettings,
};

/** What an empty field of an update means, where it can be empty. Of a null by an expression the same is true. */
function whenEmpty({ name, type }: INodeProperties): string | undefined {
	if (name in CLEARABLE) return 'Leave it empty to remove it from the record.';
	return type === 'string' || type === 'resourceLocator' ? 'Leave it empty to keep it as it is.' : undefined;
}

/** The fields that an update can change; the description says what an empty one means. */
export const changeableFields: INodeProperties[] = [
	...ownerFields,
	nameField,
	webhookUrlField,
	...optionalFields,
].map((field) => {
	const meaning = whenEmpty(field);
	if (meaning === undefined) return field;
	const own = (field.description ?? '').replace(` ${EMPTY_IS_CREDENTIAL}.`, '').replace(/\.$/, '');
	return { ...field, description: `${own}. ${meaning}` };
});

/**
 * Reads a GUID that a person pasted.
 * @param fallback for an empty field; '' where the field is required.
 * @returns the GUID in lower case.
 * @throws InputError naming the field.
 */
export function readGuid(parameters: ParameterReader, name: string, label: string, fallback = ''): string {
	return checkGuid(tidyId(parameters.id(name, label)) || fallback, label);
}

/** Says where the ID of a channel is found. */
const CHOOSE_CHANNEL =
	'Choose the channel from the list, or give its ID: Channel: Get Many has it as channelId.';

/** Reads Channel of an operation that changes or deletes one. @throws InputError naming the field. */
export function readRequiredChannelId(parameters: ParameterReader): string {
	const { name, displayName } = channelIdField;
	return checkGuid(tidyId(parameters.locator(name, displayName)), displayName, CHOOSE_CHANNEL);
}

/** Reads Channel, by default the credential's. @throws InputError naming the field. */
export function readChannelId(parameters: ParameterReader, { channelId }: CredentialIds): string {
	const { name, displayName } = channelIdField;
	const given = tidyId(parameters.locator(name, displayName));
	if (given !== '' || channelId !== '') return checkGuid(given || channelId, displayName, CHOOSE_CHANNEL);
	throw new InputError(
		'Channel is empty, and so is Channel ID in the credential',
		`${CHOOSE_CHANNEL} Channel: Create makes a new one.`,
	);
}

/** Checks a webhook URL. Dynamics accepts any URL, and delivers nothing to a wrong one. */
function checkWebhookUrl(webhookUrl: string, { origin, environmentUrl }: CredentialIds): string {
	const reason = whyNotRegistrable(webhookUrl, [origin, environmentUrl]);
	if (reason === undefined) return webhookUrl;
	throw new InputError(
		`Webhook URL cannot be called by Dynamics 365: ${reason}`,
		'Copy the production URL of the trigger, with n8n’s public address, which starts with https:// and has a certificate that is not self-signed.',
	);
}

/**
 * Reads Name and Webhook URL into the record's columns; one without a value is left out.
 * @param fields the parameters of the operation, or a collection that has both.
 * @throws InputError naming the field.
 */
export function readNaming(fields: ParameterReader, credential: CredentialIds): ChannelRow {
	const webhookUrl = readName(fields, WEBHOOK_URL);
	return withoutEmpty({
		msdyn_name: readName(fields, NAME),
		msdyn_webhookurl: webhookUrl && checkWebhookUrl(webhookUrl, credential),
	});
}

/**
 * Reads the other fields of a collection into the record's columns; one that is not in it, blank or null is left out.
 * @throws InputError naming the field.
 */
export function readOptional(collection: ParameterReader): ChannelRow {
	const { flag, guid, located } = valuesOf(collection);
	const workstreamId = located('workstreamId', 'Workstream');
	return withoutEmpty({
		...readSettingsFields(collection),
		msdyn_appid: guid('appId', 'App ID'),
		msdyn_tenantid: guid('tenantId', 'Tenant ID'),
		msdyn_enablefileattachmentsforagents: flag('attachmentsForAgents', 'Attachments of Representatives'),
		msdyn_enablefileattachmentsforcustomers: flag('attachmentsForCustomers', 'Attachments of Customers'),
		'msdyn_liveworkstreamid@odata.bind': workstreamId && `/${TABLES.workstreams}(${workstreamId})`,
	});
}

/** The columns to clear: those whose fields are in the collection, but blank or null. */
export function readCleared(collection: ParameterReader): ChannelRow {
	const cleared = Object.entries(CLEARABLE).filter(([name]) => isBlank(collection, name));
	return Object.fromEntries(cleared.map(([, column]) => [column, null]));
}

/** Reads App ID and Tenant ID, by default the credential's. @throws InputError naming the field. */
export function readOwner(
	parameters: ParameterReader,
	{ clientId, tenantId }: CredentialIds,
): { appId: string; tenantId: string } {
	return {
		appId: readGuid(parameters, 'appId', 'App ID', clientId),
		tenantId: readGuid(parameters, 'tenantId', 'Tenant ID', tenantId),
	};
}
