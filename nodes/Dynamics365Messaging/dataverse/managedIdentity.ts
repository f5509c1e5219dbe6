import { nonEmptyText, readKey } from '../../shared/json';
import type { ServiceCalls } from '../../shared/transport/client';
import { ServiceError } from '../../shared/transport/errors';
import { readEntries } from '../../shared/transport/pagination';
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
interface FederatedCredential {
	issuer: string;
	subject: string | null;
	audience: string;
}

/** The audience of every managed identity's federated credential. Source: docs/service-facts.md#federated-credential. */
const FEDERATED_AUDIENCE = 'api://AzureADTokenExchange';

/** A channel and the tenant of its app. */
interface Owner {
	channelId: string;
	tenantId: string;
}

/**
 * Reads the federated credential that the channel's managed identity needs now. Dataverse gives its subject only.
 * @returns with a null subject where Dataverse gives none.
 * @throws ServiceError where Dataverse does not answer.
 */
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

/**
 * The ID of a managed identity of the app: the one that is bound, or else the oldest one, so that every run takes the same;
 * null where there is none.
 */
async function findIdentity(
	dataverse: ServiceCalls,
	{ appId, tenantId, bound }: { appId: string; tenantId: string; bound: string | null },
): Promise<string | null> {
	const request = rowsRequest(TABLES.managedIdentities, IDENTITY_COLUMNS, {
		filter: `applicationid eq ${appId} and tenantid eq ${tenantId} and credentialsource eq ${CREDENTIAL_SOURCE} and subjectscope eq ${SUBJECT_SCOPE}`,
		orderBy: 'createdon asc',
	});
	const ids = readEntries((await dataverse.call(request)).json, 'value')
		.map((row) => nonEmptyText(readKey(row, 'managedidentityid'))?.toLowerCase())
		.filter((id) => id !== undefined);
	return ids.find((id) => id === bound) ?? ids[0] ?? null;
}

/**
 * Reads the app of a managed identity.
 * @param id of the managed identity, a GUID.
 * @returns the app's client ID in lower case; null where the record has none.
 * @throws ServiceError where the managed identity does not exist or may not be read.
 */
export async function readAppOfIdentity(dataverse: ServiceCalls, id: string): Promise<string | null> {
	const request = rowRequest(TABLES.managedIdentities, id, IDENTITY_COLUMNS);
	const { json } = await dataverse.call(request);
	return nonEmptyText(readKey(json, 'applicationid'))?.toLowerCase() ?? null;
}

async function createIdentity(dataverse: ServiceCalls, appId: string, tenantId: string): Promise<string> {
	const row = {
		applicationid: appId,
		credentialsource: CREDENTIAL_SOURCE,
		subjectscope: SUBJECT_SCOPE,
		tenantid: tenantId,
	} as const;
	const howToVerify = 'Run this again: it uses a managed identity that is there already.';
	const request = insertRequest(TABLES.managedIdentities, row, IDENTITY_COLUMNS, howToVerify);
	const { json } = await dataverse.call(request);
	const named = nonEmptyText(readKey(json, 'managedidentityid'));
	// Dataverse may answer 204 in spite of `return=representation`. The new one is then the only one.
	const id = named ?? (await findIdentity(dataverse, { appId, tenantId, bound: null }).catch(() => null));
	if (id !== null) return id;
	throw new ServiceError({
		message: 'Dataverse did not say which managed identity it made',
		description: howToVerify,
		outcome: 'uncertain',
	});
}

/** The item of Link Managed Identity. */
interface Linked extends FederatedCredential {
	channelId: string;
	managedIdentityId: string;
	/** Whether the managed identity is new. */
	created: boolean;
	/** Whether the channel had another managed identity before, or none. */
	changed: boolean;
	nextStep: string;
}

const NEXT_STEP =
	'In Entra, under App registrations, the app, Certificates & secrets, Federated credentials, choose Add credential, Other issuer, and enter issuer, subject and audience as they are here. Each change of the webhook URL makes a new subject: then run this again and renew the credential in Entra.';

/**
 * Links a channel with a managed identity of an app. It creates one only where the app has none, and binds it to the
 * channel. A second call changes nothing. Source: docs/service-facts.md#managed-identity.
 * @param connection whose token authority issues the federated credential.
 * @param owner the IDs of the channel, of the app (its client ID) and of the tenant, all GUIDs.
 * @returns the IDs, what was changed, and issuer, subject and audience to enter in Entra.
 * @throws ServiceError where Dataverse refuses a call or gives no subject; `uncertain` where a managed identity may have
 * been created.
 */
export async function linkManagedIdentity(
	dataverse: ServiceCalls,
	connection: Pick<Connection, 'authorityHost'>,
	owner: Owner & { appId: string },
): Promise<Linked> {
	const { channelId, appId, tenantId } = owner;
	const { managedIdentityId: bound } = readChannel((await dataverse.call(channelRequest(channelId))).json);
	const found = await findIdentity(dataverse, { appId, tenantId, bound });
	const managedIdentityId = (found ?? (await createIdentity(dataverse, appId, tenantId))).toLowerCase();
	const changed = bound !== managedIdentityId;
	if (changed) {
		const bind = { 'managedidentityid@odata.bind': `/${TABLES.managedIdentities}(${managedIdentityId})` };
		await dataverse.call(updateRequest(TABLES.channels, channelId, bind, COLUMNS));
	}
	const credential = await readFederatedCredential(dataverse, connection, owner);
	if (credential.subject === null) {
		throw new ServiceError({
			message: 'The managed identity is bound, but Dataverse gave no subject for it',
			description: 'Run this again in a while: it uses the managed identity that is there.',
		});
	}
	const created = found === null;
	return { channelId, managedIdentityId, created, changed, ...credential, nextStep: NEXT_STEP };
}
