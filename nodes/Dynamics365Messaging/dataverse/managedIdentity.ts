import { nonEmptyText, readKey } from '../../shared/json';
import type { ServiceCalls } from '../../shared/transport/client';
import { ServiceError } from '../../shared/transport/errors';
import type { Connection } from '../connection';
import { channelRequest, COLUMNS, readChannel } from './channel';
import {
	federatedSubjectRequest,
	insertRequest,
	rowRequest,
	rowsRequest,
	TABLES,
	updateRequest,
} from './requests';

/** Source: docs/service-facts.md#managed-identity. */
const CREDENTIAL_SOURCE = 2;
const SUBJECT_SCOPE = 1;

const IDENTITY_COLUMNS = ['managedidentityid', 'applicationid', 'tenantid'] as const;

/** What a federated credential in Entra consists of. */
export interface FederatedCredential {
	issuer: string;
	subject: string | null;
	audience: string;
}

/**
 * The audience of every federated credential of a managed identity.
 * Source: docs/service-facts.md#federated-credential.
 */
export const FEDERATED_AUDIENCE = 'api://AzureADTokenExchange';

/** The channel, and the tenant of its app. */
interface Owner {
	channelId: string;
	tenantId: string;
}

/** The federated credential that the channel's managed identity needs now; Dataverse gives its subject alone. */
export async function readFederatedCredential(
	dataverse: ServiceCalls,
	{ authorityHost }: Pick<Connection, 'authorityHost'>,
	{ channelId, tenantId }: Owner,
): Promise<FederatedCredential> {
	const { json } = await dataverse.call(federatedSubjectRequest(channelId));
	return {
		issuer: `${authorityHost}/${tenantId}/v2.0`,
		subject: nonEmptyText(readKey(json, 'FICSubject')),
		audience: FEDERATED_AUDIENCE,
	};
}

/** A managed identity that suits: the one that is bound, where it does, else the oldest. */
async function findIdentity(
	dataverse: ServiceCalls,
	{ appId, tenantId, bound }: { appId: string; tenantId: string; bound: string | null },
): Promise<string | null> {
	const request = rowsRequest(TABLES.managedIdentities, IDENTITY_COLUMNS, {
		filter: `applicationid eq ${appId} and tenantid eq ${tenantId} and credentialsource eq ${CREDENTIAL_SOURCE} and subjectscope eq ${SUBJECT_SCOPE}`,
	});
	const rows = readKey((await dataverse.call(request)).json, 'value');
	const ids = (Array.isArray(rows) ? rows : [])
		.map((row) => nonEmptyText(readKey(row, 'managedidentityid'))?.toLowerCase())
		.filter((id) => id !== undefined);
	return ids.find((id) => id === bound) ?? ids[0] ?? null;
}

/**
 * Reads which app a managed identity is of.
 * @returns the app's ID in lower case; null where Dataverse names none.
 * @throws ServiceError
 */
export async function readAppOfIdentity(dataverse: ServiceCalls, id: string): Promise<string | null> {
	const request = rowRequest(TABLES.managedIdentities, id, IDENTITY_COLUMNS);
	const { json } = await dataverse.call(request);
	return nonEmptyText(readKey(json, 'applicationid'))?.toLowerCase() ?? null;
}

async function makeIdentity(dataverse: ServiceCalls, appId: string, tenantId: string): Promise<string> {
	const row = {
		applicationid: appId,
		credentialsource: CREDENTIAL_SOURCE,
		subjectscope: SUBJECT_SCOPE,
		tenantid: tenantId,
	} as const;
	const howToVerify = 'Run this again: it uses a managed identity that is there already.';
	const request = insertRequest(TABLES.managedIdentities, row, IDENTITY_COLUMNS, howToVerify);
	const id = nonEmptyText(readKey((await dataverse.call(request)).json, 'managedidentityid'));
	if (id !== null) return id;
	throw new ServiceError({
		message: 'Dataverse did not say which managed identity it made',
		description: howToVerify,
		outcome: 'uncertain',
	});
}

/** What became of linking a channel with a managed identity. */
export interface Linked extends FederatedCredential {
	channelId: string;
	managedIdentityId: string;
	/** Whether the managed identity was made now. */
	created: boolean;
	/** Whether the channel had another one, or none, before. */
	changed: boolean;
	nextStep: string;
}

const NEXT_STEP =
	'In Entra, under App registrations, the app, Certificates & secrets, Federated credentials, choose Add credential, Other issuer, and enter issuer, subject and audience as they are here. Each change of the webhook URL makes a new subject: then run this again and renew the credential in Entra.';

/**
 * Links a channel with a managed identity of an app: uses the one that is there, or makes one, binds it, and gives what
 * is to be entered in Entra. Doing it twice changes nothing.
 * @throws ServiceError `uncertain` where it stays open whether a managed identity was made.
 * Source: docs/service-facts.md#managed-identity.
 */
export async function linkManagedIdentity(
	dataverse: ServiceCalls,
	connection: Pick<Connection, 'authorityHost'>,
	{ channelId, appId, tenantId }: Owner & { appId: string },
): Promise<Linked> {
	const channel = readChannel((await dataverse.call(channelRequest(channelId))).json);
	const bound = channel.managedIdentityId;
	const found = await findIdentity(dataverse, { appId, tenantId, bound });
	const managedIdentityId = (found ?? (await makeIdentity(dataverse, appId, tenantId))).toLowerCase();
	const changed = channel.managedIdentityId !== managedIdentityId;
	if (changed) {
		const bind = { 'managedidentityid@odata.bind': `/${TABLES.managedIdentities}(${managedIdentityId})` };
		await dataverse.call(updateRequest(TABLES.channels, channelId, bind, COLUMNS));
	}
	const credential = await readFederatedCredential(dataverse, connection, { channelId, tenantId });
	if (credential.subject === null) {
		throw new ServiceError({
			message: 'The managed identity is bound, but Dataverse gave no subject for it',
			description: 'Run this again in a while: it uses the managed identity that is there.',
		});
	}
	return {
		channelId,
		managedIdentityId,
		created: found === null,
		changed,
		...credential,
		nextStep: NEXT_STEP,
	};
}
