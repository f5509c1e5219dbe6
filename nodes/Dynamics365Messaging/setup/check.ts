import { lookup } from 'node:dns/promises';
import { isGuid } from '../../shared/entra/appCredential';
import { getToken, type TokenSource } from '../../shared/entra/token';
import { readKey } from '../../shared/json';
import type { ServiceCalls } from '../../shared/transport/client';
import { InputError, ServiceError, serviceErrorOf } from '../../shared/transport/errors';
import { readEntries } from '../../shared/transport/pagination';
import { proxyFor } from '../../shared/transport/proxy';
import type { Connection } from '../connection';
import {
	accessRequest,
	channelRequest,
	readAccessRights,
	readChannel,
	readUserId,
	whoAmIRequest,
	type Channel,
} from '../dataverse/channel';
import { AVAILABILITY_ROLE, readRoles, rolesRequest } from '../dataverse/availability';
import { dataverseTokens } from '../dataverse/client';
import { NO_RECORD } from '../dataverse/errors';
import { readAppOfIdentity, readFederatedCredential } from '../dataverse/managedIdentity';
import { probe, signedDeliveryMark, triggerMark, type Probed } from './probe';
import { whyNotRegistrable, withoutPassword } from './webhookUrl';

/** The checks, in the order of the chain from token to webhook. */
const CHECKS = [
	'credential',
	'messagingToken',
	'messagingHost',
	'dataverseToken',
	'dataverseRole',
	'channelRecord',
	'channelType',
	'channelApp',
	'channelTenant',
	'workstream',
	'channelAccepted',
	'webhookUrl',
	'activeTrigger',
	'managedIdentity',
	'applicationIdUri',
	'federatedSubject',
	'availabilityRole',
	'clock',
] as const;

export type CheckName = (typeof CHECKS)[number];

export interface CheckResult {
	status: 'ok' | 'warning' | 'failed' | 'skipped';
	/** What was found. */
	detail: string;
	/** How to fix it. */
	fix: string;
}

/** The result of a check with its name. */
export type NamedResult = { check: CheckName } & CheckResult;

const NONE_NEEDED = 'None needed';

const ok = (detail: string): CheckResult => ({ status: 'ok', detail, fix: NONE_NEEDED });
const failed = (detail: string, fix: string): CheckResult => ({ status: 'failed', detail, fix });
const warning = (detail: string, fix: string): CheckResult => ({ status: 'warning', detail, fix });
const skipped = (detail: string, fix = 'Fix what failed before it'): CheckResult => ({
	status: 'skipped',
	detail,
	fix,
});
/** For a check whose result would follow from an earlier one. */
const EXPLAINED = skipped('An earlier check failed');

/** Turns an error of a service or a field into a result. Any other error is thrown again. */
function failure(error: unknown): CheckResult {
	if (!(error instanceof ServiceError) && !(error instanceof InputError)) throw error;
	const code = error instanceof ServiceError && error.code !== null ? ` (${error.code})` : '';
	return failed(`${error.message}${code}`, error.description);
}

/** The results for a credential whose fields are wrong, so that no request can be made. Pure. */
export function brokenAtCredential(error: InputError): NamedResult[] {
	return CHECKS.map((check) => ({ check, ...(check === 'credential' ? failure(error) : EXPLAINED) }));
}

async function checkToken(source: TokenSource): Promise<CheckResult> {
	return await getToken(source).then(() => ok(`A token for ${source.scope} was issued`), failure);
}

/** Checks that the service's host is in the DNS, which n8n does not ask where it has a proxy. */
async function checkHost({ origin }: Connection): Promise<CheckResult> {
	const url = new URL(origin);
	const { hostname } = url;
	return await lookup(hostname).then(
		() => ok(`${hostname} is known`),
		(error: unknown) => {
			if (proxyFor(url)) return skipped('The proxy looks up the name', NONE_NEEDED);
			if (readKey(error, 'code') !== 'ENOTFOUND') {
				return failed(
					`The name ${hostname} could not be looked up`,
					'The DNS server of this machine did not answer. Check its network.',
				);
			}
			return failed(
				`There is no host ${hostname}`,
				'Choose the Geo of the Dynamics 365 environment, and check Organization ID in the credential.',
			);
		},
	);
}

/** The service's answer to a request that changes nothing. */
interface Answer {
	/** Undefined where the service accepted the request, or was not asked. */
	error?: ServiceError;
	/** The service's clock, epoch milliseconds; null where it is unknown. */
	date: number | null;
}

async function askService(messagingApi: ServiceCalls): Promise<Answer> {
	const request = { method: 'GET', path: '/conversations', query: { PageSize: '1' } } as const;
	return await messagingApi.call(request).then(
		({ json, date }): Answer => {
			try {
				readEntries(json, 'conversations');
				return { date };
			} catch (thrown) {
				return { error: serviceErrorOf(thrown), date };
			}
		},
		(thrown: unknown): Answer => {
			const error = serviceErrorOf(thrown);
			return { error, date: error.date };
		},
	);
}

const NO_WORKSTREAM = '30014';
const ADD_TO_WORKSTREAM =
	'Add the channel to a messaging workstream: in the admin center as a custom (Messaging API) channel, or with the field Workstream of Channel: Update. A Direct Line channel does not work: it loses conversations without an error. Changes take up to 15 minutes.';

function checkWorkstream(channel: Channel | undefined, { error }: Answer): CheckResult {
	if (error?.code === NO_WORKSTREAM) {
		return failed('The service says that the channel is on no workstream', ADD_TO_WORKSTREAM);
	}
	if (!channel) {
		return error
			? skipped('Not checked: the record could not be read')
			: ok('The service accepts conversations');
	}
	if (channel.workstreamId === null) return failed('The channel is not on a workstream', ADD_TO_WORKSTREAM);
	return ok(`It is on the workstream ${channel.workstreamId}`);
}

/** @param isExplained whether another check has found the reason already. */
function checkAccepted({ error }: Answer, isExplained: boolean): CheckResult {
	if (!error || error.code === NO_WORKSTREAM) return ok('The service accepts organization and channel');
	if (isExplained)
		return skipped(`The service refuses the channel because of another check: ${error.message}`);
	return failure(error);
}

function checkType({ isMessagingApi }: Channel): CheckResult {
	if (isMessagingApi) return ok('It is a Messaging API channel');
	return failed(
		'It is another type of custom channel, such as Direct Line',
		'Create a Messaging API channel (Channel: Create) and enter its ID in the credential.',
	);
}

/** Compares an ID of the record with that of the credential. */
function compare(
	noun: 'app' | 'tenant',
	recordId: string | null,
	credentialId: string,
	fix: string,
): CheckResult {
	if (recordId === credentialId) return ok(`The record names the credential’s ${noun}`);
	const named = recordId === null ? `no ${noun}` : `the ${noun} ${recordId}`;
	return failed(`The record names ${named}, the credential ${credentialId}`, fix);
}

function checkApp({ appId }: Channel, { clientId }: Connection): CheckResult {
	const fix = 'Correct App ID of the channel (Channel: Update), or Client ID of the credential.';
	return compare('app', appId, clientId, fix);
}

function checkTenant(channel: Channel, { tenantId }: Connection): CheckResult {
	if (!isGuid(tenantId)) {
		return skipped(
			`The credential has the domain ${tenantId}, the record the ID ${channel.tenantId ?? 'none'}`,
		);
	}
	const fix = 'Correct Tenant ID of the channel (Channel: Update), or of the credential.';
	return compare('tenant', channel.tenantId, tenantId, fix);
}

const REGISTER =
	'Publish (activate) the workflow with the trigger and register its production URL: with the trigger’s Register Webhook, or Channel: Update.';

function checkWebhookUrl({ webhookUrl }: Channel, { origin, environmentUrl }: Connection): CheckResult {
	if (webhookUrl === null || webhookUrl.trim() === '')
		return failed('The record has no webhook URL', REGISTER);
	const reason = whyNotRegistrable(webhookUrl, [origin, environmentUrl]);
	const shown = withoutPassword(webhookUrl);
	if (reason === undefined) return ok(shown);
	return failed(
		`Dynamics 365 cannot call ${shown}: ${reason}`,
		`${REGISTER} n8n makes it of its public address, which starts with https:// and is set as WEBHOOK_URL.`,
	);
}

/** Node.js's codes for a certificate that Dynamics does not accept either. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/;

function checkTrigger({ webhookUrl }: Channel, probed: Probed, instanceId: string): CheckResult {
	const url = new URL(webhookUrl ?? '');
	switch (probed.kind) {
		case 'trigger':
			return probed.mark === triggerMark(instanceId, url.href)
				? ok('An active trigger of this n8n is there')
				: warning(
						'An active trigger answers there, but it belongs to another n8n, or WEBHOOK_URL of this n8n has changed',
						'If you did not intend that, register the URL that this n8n’s trigger shows.',
					);
		case 'other':
			return failed(`No active trigger answers there (HTTP status ${probed.status})`, REGISTER);
		case 'unreachable':
			return CERTIFICATE.test(probed.code)
				? failed(
						`The certificate there is not trusted (${probed.code})`,
						'Dynamics 365 needs a valid certificate. A self-signed one does not work.',
					)
				: warning(
						`n8n could not call it (${probed.code})`,
						'Some networks keep n8n from calling its own public address. Open the URL in a browser from outside: it should answer.',
					);
	}
}

/**
 * Dataverse cannot see the app registration, so only a signed delivery proves it, and only the trigger can tell of one.
 * Whatever keeps the trigger from telling, a person has to look.
 */
function checkApplicationIdUri(probed: Probed | undefined, connection: Connection): CheckResult {
	const isTrigger = probed?.kind === 'trigger';
	if (isTrigger && probed.signedDelivery === signedDeliveryMark(connection)) {
		return ok('A signed delivery has arrived');
	}
	const known = isTrigger
		? 'The trigger has seen no signed delivery for this app and channel since n8n started'
		: 'It is not known whether a signed delivery has arrived, as no trigger could be asked';
	return warning(
		`${known}. n8n cannot see whether the app has an Application ID URI`,
		`Look at the app in Entra: Expose an API must show api://${connection.clientId}. Without it Dynamics 365 signs nothing. Add it before you create the federated credential.`,
	);
}

async function checkManagedIdentity(
	dataverse: ServiceCalls,
	{ managedIdentityId }: Channel,
	{ clientId }: Connection,
): Promise<CheckResult> {
	const fix = 'Run Channel: Link Managed Identity and enter its output in Entra.';
	if (managedIdentityId === null) {
		const detail =
			'The channel has no managed identity: Dynamics 365 sends no token, so a trigger with verification rejects every call';
		return failed(detail, fix);
	}
	return await readAppOfIdentity(dataverse, managedIdentityId).then((appId) => {
		if (appId === clientId) return ok(`The channel has the managed identity ${managedIdentityId}`);
		const owner = appId === null ? 'no app' : `the app ${appId}`;
		return failed(`The channel’s managed identity belongs to ${owner}`, fix);
	}, failure);
}

const RENEW =
	'Run Channel: Link Managed Identity, and renew the federated credential of the app in Entra with the subject that it gives.';

async function checkSubject(
	dataverse: ServiceCalls,
	connection: Connection,
	linked: string | null,
): Promise<CheckResult> {
	return await readFederatedCredential(dataverse, connection, connection).then(({ subject }) => {
		if (subject === null) return warning('Dataverse did not give the federated subject', RENEW);
		if (linked === null) {
			return skipped(
				`The federated subject is ${subject}. n8n has nothing to compare it with`,
				'Compare it with the federated credential in Entra, or enter the subject from Entra in Federated Subject. n8n does not remember manual runs.',
			);
		}
		if (subject === linked) return ok('The federated subject is the one that was linked last');
		const detail =
			'The federated subject has changed since it was linked, because the webhook URL was changed';
		return failed(detail, RENEW);
	}, failure);
}

/** Microsoft's own tolerance is five minutes. Source: docs/service-facts.md#webhook-token. */
const MAX_SKEW_MS = 300_000;
const SUSPICIOUS_SKEW_MS = 60_000;

function checkClock({ date }: Answer): CheckResult {
	if (date === null) return skipped('The service did not tell its time');
	const skew = Date.now() - date;
	const detail = `The clock of this machine is ${Math.round(Math.abs(skew) / 1000)} s ${skew < 0 ? 'behind' : 'ahead of'} the service’s`;
	const fix = 'Set the clock of the machine that n8n runs on (NTP).';
	if (Math.abs(skew) > MAX_SKEW_MS) return failed(detail, fix);
	return Math.abs(skew) > SUSPICIOUS_SKEW_MS ? warning(detail, fix) : ok(detail);
}

/** The channel's record where it can be read, and the results of the two checks that reading it answers. */
interface ReadRecord {
	channel?: Channel;
	role: CheckResult;
	record: CheckResult;
}

const NOT_ALLOWED = new Set(['0x80040220', '0x80042f09', '0x80072560']);

async function readRecord(dataverse: ServiceCalls, channelId: string): Promise<ReadRecord> {
	// The answer is read inside, so that one that is not a record becomes a result as well.
	const reading = dataverse.call(channelRequest(channelId)).then(({ json }) => readChannel(json));
	return await reading.then(
		async (channel) => ({
			channel,
			role: await checkRole(dataverse, channelId),
			record: ok(`The record of ${channel.name ?? channelId} is there`),
		}),
		(thrown: unknown) => {
			const error = serviceErrorOf(thrown);
			const isRole = NOT_ALLOWED.has(error.code ?? '') || error.httpCode === 401 || error.httpCode === 403;
			if (isRole) return { role: failure(error), record: skipped('It cannot be read') };
			if (error.code !== NO_RECORD)
				return { role: skipped('Not checked: the record could not be read'), record: failure(error) };
			const fix =
				'Enter the ID of a channel record of this environment in the credential (Channel: Get Many).';
			const record = failed(`There is no channel record ${channelId}`, fix);
			return { role: ok('The app may read'), record };
		},
	);
}

const GIVE_ROLE =
	'Give the application user a security role that may write Custom Messaging Channels, in the Power Platform admin center.';

/** Checks the right to write a record that can be read, which registering and updating need. */
async function checkRole(dataverse: ServiceCalls, channelId: string): Promise<CheckResult> {
	try {
		const userId = readUserId((await dataverse.call(whoAmIRequest())).json);
		const rights = readAccessRights((await dataverse.call(accessRequest(userId, channelId))).json);
		return rights.includes('WriteAccess')
			? ok('The app may read and write the channel’s record')
			: failed('The app may read the channel’s record, but not write it', GIVE_ROLE);
	} catch (error) {
		serviceErrorOf(error);
		return warning(
			'The app may read the channel’s record. It is not known whether it may write it',
			GIVE_ROLE,
		);
	}
}

const FOR_AVAILABILITY = `The operations of Availability need the role ${AVAILABILITY_ROLE}. If you use them, give it to the application user in the Power Platform admin center. n8n does not see roles that come from a team.`;

/** Tells whether the app has the role that the operations of Availability need, and nothing else. */
async function checkAvailabilityRole(dataverse: ServiceCalls): Promise<CheckResult> {
	try {
		const userId = readUserId((await dataverse.call(whoAmIRequest())).json);
		const roles = readRoles((await dataverse.call(rolesRequest(userId))).json);
		const hasRole = roles.some((name) => name.toLowerCase() === AVAILABILITY_ROLE.toLowerCase());
		return hasRole
			? ok(`The app has the role ${AVAILABILITY_ROLE}`)
			: warning(`The app does not have the role ${AVAILABILITY_ROLE} itself`, FOR_AVAILABILITY);
	} catch (error) {
		serviceErrorOf(error);
		return warning(`Whether the app has the role ${AVAILABILITY_ROLE} is not known`, FOR_AVAILABILITY);
	}
}

/** Checks the token for Dataverse. Without one for the Messaging API, it would fail for the same reason. */
async function checkDataverseToken(connection: Connection, hasToken: boolean): Promise<CheckResult> {
	if (connection.environmentUrl === undefined) {
		return warning(
			'Environment URL is empty in the credential, so the channel record cannot be read, and most checks cannot be made',
			'Enter the address of the Dynamics 365 environment in the credential.',
		);
	}
	return hasToken ? await checkToken(dataverseTokens(connection)) : EXPLAINED;
}

/** What a setup is checked with. */
interface Setup {
	/** With the channel to check. */
	connection: Connection;
	client: (service: 'messagingApi' | 'dataverse') => ServiceCalls;
	/** The federated subject that was entered in Entra; null where it is unknown. */
	linked: string | null;
	/** The ID of this n8n instance. */
	instanceId: string;
}

const isOk = ({ status }: CheckResult) => status === 'ok';

/**
 * Checks the whole chain of a setup, from token to webhook, and changes nothing. A check whose result would follow from an
 * earlier failure is skipped, so that one mistake is reported once.
 * @returns a result for each check, in the order of the chain.
 * @throws only errors that are neither a ServiceError nor an InputError; these two become results.
 * @example
 * const results = await checkSetup({ connection, client, linked: null, instanceId });
 * const failures = results.filter(({ status }) => status === 'failed');
 */
export async function checkSetup({ connection, client, linked, instanceId }: Setup): Promise<NamedResult[]> {
	const messagingToken = await checkToken(connection);
	const messagingHost = await checkHost(connection);
	const isReachable = isOk(messagingToken) && messagingHost.status !== 'failed';
	const answer: Answer = isReachable ? await askService(client('messagingApi')) : { date: null };

	const dataverseToken = await checkDataverseToken(connection, isOk(messagingToken));
	const dataverse = isOk(dataverseToken) ? client('dataverse') : undefined;
	const { channel, role, record }: ReadRecord = dataverse
		? await readRecord(dataverse, connection.channelId)
		: { role: EXPLAINED, record: EXPLAINED };
	const channelType = channel ? checkType(channel) : EXPLAINED;
	const channelApp = channel ? checkApp(channel, connection) : EXPLAINED;
	const channelTenant = channel ? checkTenant(channel, connection) : EXPLAINED;
	const isExplained = [record, channelType, channelApp, channelTenant].some(
		({ status }) => status === 'failed',
	);
	const webhookUrl = channel ? checkWebhookUrl(channel, connection) : EXPLAINED;
	const probed = channel && isOk(webhookUrl) ? await probe(new URL(channel.webhookUrl ?? '')) : undefined;
	const managedIdentity =
		dataverse && channel ? await checkManagedIdentity(dataverse, channel, connection) : EXPLAINED;

	const results: Record<CheckName, CheckResult> = {
		credential: ok('All fields are valid'),
		messagingToken,
		messagingHost,
		dataverseToken,
		dataverseRole: role,
		channelRecord: record,
		channelType,
		channelApp,
		channelTenant,
		workstream: isReachable ? checkWorkstream(channel, answer) : EXPLAINED,
		channelAccepted: isReachable ? checkAccepted(answer, isExplained) : EXPLAINED,
		webhookUrl,
		activeTrigger: channel && probed ? checkTrigger(channel, probed, instanceId) : EXPLAINED,
		managedIdentity,
		applicationIdUri: channel ? checkApplicationIdUri(probed, connection) : EXPLAINED,
		federatedSubject:
			dataverse && isOk(managedIdentity) ? await checkSubject(dataverse, connection, linked) : EXPLAINED,
		availabilityRole:
			dataverse && (channel || isOk(role)) ? await checkAvailabilityRole(dataverse) : EXPLAINED,
		clock: checkClock(answer),
	};
	return CHECKS.map((check) => ({ check, ...results[check] }));
}
