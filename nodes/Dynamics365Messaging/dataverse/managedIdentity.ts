import { exchange } from '../messagingApi/client';
import {
	federatedSubjectRequest,
	insertRequest,
	rowRequest,
	rowsRequest,
	TABLES,
	updateRequest,
} from './requests';
import { ServiceError } from '../../shared/transport/errors';
import { nonEmptyText, readKey } from '../../shared/json';
import type { Run } from '../messagingApi/startConversation';
import { readChannel, channelRequest, COLUMNS } from './channel';

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

/** The federated credential that the channel's managed identity needs now; Dataverse gives its subject alone. */
export async function readFederatedCredential(
	{ connection, pace }: Run,
	channelId: string,
	tenantId: string,
): Promise<FederatedCredential> {
	const { json } = await exchange(connection, federatedSubjectRequest(channelId), pace);
	return {
		issuer: `${connection.authorityHost}/${tenantId}/v2.0`,
		subject: nonEmptyText(readKey(json, 'FICSubject')),
		audience: FEDERATED_AUDIENCE,
	};
}

/** A managed identity that suits: the one that is bound, where it does, else the oldest. */
async function findIdentity(
	{ connection, pace }: Run,
	{ appId, tenantId, bound }: { appId: string; tenantId: string; bound: string | null },
): Promise<string | null> {
	const request = rowsRequest(TABLES.managedIdentities, IDENTITY_COLUMNS, {
		filter: `applicationid eq ${appId} and tenantid eq ${tenantId} and credentialsource eq ${CREDENTIAL_SOURCE} and subjectscope eq ${SUBJECT_SCOPE}`,
	});
	const rows = readKey((await exchange(connection, request, pace)).json, 'value');
	const ids = (Array.isArray(rows) ? rows : [])
		.map((row) => nonEmptyText(readKey(row, 'managedidentityid'))?.toLowerCase())
		.filter((id) => id !== undefined);
	return ids.find((id) => id === bound) ?? ids[0] ?? null;
}

/** The app that a managed identity is of. */
export async function readAppOfIdentity({ connection, pace }: Run, id: string): Promise<string | null> {
	const request = rowRequest(TABLES.managedIdentities, id, IDENTITY_COLUMNS);
	const { json } = await exchange(connection, request, pace);
	return nonEmptyText(readKey(json, 'applicationid'))?.toLowerCase() ?? null;
}

async function makeIdentity({ connection, pace }: Run, appId: string, tenantId: string): Promise<string> {
	const row = {
		applicationid: appId,
		credentialsource: CREDENTIAL_SOURCE,
		subjectscope: SUBJECT_SCOPE,
		tenantid: tenantId,
	};
	const howToVerify = 'Run this again: it uses a managed identity that is there already.';
	const request = insertRequest(TABLES.managedIdentities, row, IDENTITY_COLUMNS, howToVerify);
	const id = nonEmptyText(readKey((await exchange(connection, request, pace)).json, 'managedidentityid'));
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
 * @throws ServiceError
 */
export async function linkManagedIdentity(
	run: Run,
	{ channelId, appId, tenantId }: { channelId: string; appId: string; tenantId: string },
): Promise<Linked> {
	const { connection, pace } = run;
	const channel = readChannel((await exchange(connection, channelRequest(channelId), pace)).json);
	const bound = channel.managedIdentityId;
	const found = await findIdentity(run, { appId, tenantId, bound });
	const managedIdentityId = (found ?? (await makeIdentity(run, appId, tenantId))).toLowerCase();
	const changed = channel.managedIdentityId !== managedIdentityId;
	if (changed) {
		const bind = { 'managedidentityid@odata.bind': `/${TABLES.managedIdentities}(${managedIdentityId})` };
		await exchange(connection, updateRequest(TABLES.channels, channelId, bind, COLUMNS), pace);
	}
	const credential = await readFederatedCredential(run, channelId, tenantId);
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
