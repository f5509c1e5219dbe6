import { lookup } from 'node:dns/promises';
import { isGuid } from '../../shared/entra/appCredential';
import { getToken, type TokenSource } from '../../shared/entra/token';
import { readKey } from '../../shared/json';
import type { ServiceCalls } from '../../shared/transport/client';
import { InputError, ServiceError } from '../../shared/transport/errors';
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
import { dataverseTokens } from '../dataverse/client';
import { readAppOfIdentity, readFederatedCredential } from '../dataverse/managedIdentity';
import { instanceMark, probe } from './probe';
import { whyNotRegistrable } from './webhookUrl';

/** What is looked at, in the order of the chain. */
export const CHECKS = [
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
	'federatedSubject',
	'clock',
] as const;

export type CheckName = (typeof CHECKS)[number];

export interface CheckResult {
	status: 'ok' | 'warning' | 'failed' | 'skipped';
	/** What was found. */
	detail: string;
	/** How to mend it. */
	fix: string;
}

const NONE_NEEDED = 'None needed';

const ok = (detail: string): CheckResult => ({ status: 'ok', detail, fix: NONE_NEEDED });
const failed = (detail: string, fix: string): CheckResult => ({ status: 'failed', detail, fix });
const warning = (detail: string, fix: string): CheckResult => ({ status: 'warning', detail, fix });
const skipped = (detail: string, fix = 'Mend what failed before it'): CheckResult => ({
	status: 'skipped',
	detail,
	fix,
});

/** What an error says, as a result. What is none of ours is thrown on. */
function failure(error: unknown): CheckResult {
	if (!(error instanceof ServiceError) && !(error instanceof InputError)) throw error;
	const code = error instanceof ServiceError && error.code !== null ? ` (${error.code})` : '';
	return failed(`${error.message}${code}`, error.description);
}

/** What is said where the credential's fields alone show that nothing can work. */
export function brokenAtCredential(error: InputError): Array<{ check: CheckName } & CheckResult> {
	const [, ...others] = CHECKS;
	const first = { check: 'credential' as const, ...failed(error.message, error.description) };
	return [first, ...others.map((check) => ({ check, ...skipped('An earlier check explains it') }))];
}

async function checkToken(source: TokenSource): Promise<CheckResult> {
	return await getToken(source).then(
		() => ok(`A token for ${source.scope} was issued`),
		(error: unknown) => failure(error),
	);
}

/** The service's host has to be known here, unless a proxy looks names up. */
async function checkHost({ origin }: Connection): Promise<CheckResult> {
	const { hostname } = new URL(origin);
	return await lookup(hostname).then(
		() => ok(`${hostname} is known`),
		(error: unknown) => {
			const isProxied = process.env.HTTPS_PROXY !== undefined || process.env.https_proxy !== undefined;
			if (isProxied) return skipped('The proxy looks names up', NONE_NEEDED);
			if (readKey(error, 'code') !== 'ENOTFOUND') {
				return failed(
					`The name ${hostname} could not be looked up`,
					'The DNS server of this machine did not answer: check its network.',
				);
			}
			return failed(
				`There is no host ${hostname}`,
				'Choose the Geo in which the Dynamics 365 environment is, and check Organization ID in the credential.',
			);
		},
	);
}

/** What the service itself says to a call that changes nothing, and its clock. */
interface Accepted {
	error: ServiceError | undefined;
	/** Epoch milliseconds; undefined where there was no answer. */
	clock: number | undefined;
}

async function askService(messagingApi: ServiceCalls): Promise<Accepted> {
	const request = { method: 'GET', path: '/conversations', query: { PageSize: '1' } } as const;
	return await messagingApi.call(request).then(
		({ date }) => ({ error: undefined, clock: date ?? undefined }),
		(error: unknown) => {
			if (!(error instanceof ServiceError)) throw error;
			return { error, clock: error.date ?? undefined };
		},
	);
}

const NO_WORKSTREAM = '30014';
const ADD_TO_WORKSTREAM =
	'Add the channel to a messaging workstream in the admin center, as a custom (Messaging API) channel. A Direct Line channel in its place drops conversations silently. Changes take up to 15 minutes.';

function checkWorkstream(channel: Channel | undefined, { error }: Accepted): CheckResult {
	if (error?.code === NO_WORKSTREAM) {
		return failed('The service says that the channel is on no workstream', ADD_TO_WORKSTREAM);
	}
	if (channel && channel.workstreamId === null) {
		return failed('The channel is not on a workstream', ADD_TO_WORKSTREAM);
	}
	if (!channel && error) return skipped('Not checked: the record could not be read');
	return ok(
		channel ? `It is on the workstream ${channel.workstreamId}` : 'The service accepts conversations',
	);
}

/** @param isExplained whether another check has named the reason already. */
function checkAccepted({ error }: Accepted, isExplained: boolean): CheckResult {
	if (!error || error.code === NO_WORKSTREAM) return ok('The service accepts organization and channel');
	if (isExplained) return skipped(`The service refuses the channel, for the reason above: ${error.message}`);
	return failure(error);
}

function checkType({ isMessagingApi }: Channel): CheckResult {
	if (isMessagingApi) return ok('It is a Messaging API channel');
	return failed(
		'It is a custom channel of another kind, such as Direct Line',
		'Create a Messaging API channel (Channel: Create) and enter its ID in the credential.',
	);
}

function checkApp({ appId }: Channel, { clientId }: Connection): CheckResult {
	if (appId === clientId) return ok('The record names the credential’s app');
	return failed(
		`The record names ${appId === null ? 'no app' : `the app ${appId}`}, the credential ${clientId}`,
		'Correct App ID of the channel (Channel: Update), or Client ID of the credential.',
	);
}

function checkTenant({ tenantId }: Channel, connection: Connection): CheckResult {
	if (!isGuid(connection.tenantId)) {
		return skipped(
			`The credential has the domain ${connection.tenantId}, the record the ID ${tenantId ?? 'none'}`,
		);
	}
	if (tenantId === connection.tenantId) return ok('The record names the credential’s tenant');
	return failed(
		`The record names ${tenantId === null ? 'no tenant' : `the tenant ${tenantId}`}, the credential ${connection.tenantId}`,
		'Correct Tenant ID of the channel (Channel: Update), or of the credential.',
	);
}

const REGISTER =
	'Activate the workflow with the trigger and register its production URL: with the trigger’s Register Webhook, or Channel: Update.';

function checkWebhookUrl({ webhookUrl }: Channel, { origin, environmentUrl }: Connection): CheckResult {
	if (webhookUrl === null || webhookUrl.trim() === '')
		return failed('The record has no webhook URL', REGISTER);
	const reason = whyNotRegistrable(webhookUrl, [origin, environmentUrl]);
	if (reason === undefined) return ok(webhookUrl);
	return failed(
		`Dynamics 365 cannot call ${webhookUrl}: ${reason}`,
		`${REGISTER} n8n makes it of its public address, which starts with https:// and is set as WEBHOOK_URL.`,
	);
}

/** TLS codes of a certificate that Dynamics does not accept either. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/;

async function checkTrigger({ webhookUrl }: Channel, instanceId: string): Promise<CheckResult> {
	const probed = await probe(new URL(webhookUrl ?? ''));
	switch (probed.kind) {
		case 'trigger':
			return probed.mark === instanceMark(instanceId)
				? ok('An active trigger of this n8n is there')
				: warning(
						'An active trigger is there, but of another n8n',
						'If that is not meant, register the URL of this n8n’s trigger.',
					);
		case 'other':
			return failed(`No active trigger is there (HTTP status ${probed.status})`, REGISTER);
		case 'unreachable':
			return CERTIFICATE.test(probed.code)
				? failed(
						`The certificate there is not trusted (${probed.code})`,
						'Dynamics 365 delivers to a host with a valid certificate only, not to a self-signed one.',
					)
				: warning(
						`n8n could not call it (${probed.code})`,
						'A network may keep n8n from calling its own public address: open the URL in a browser from outside; it should answer.',
					);
	}
}

async function checkManagedIdentity(
	dataverse: ServiceCalls,
	{ managedIdentityId }: Channel,
	{ clientId }: Connection,
): Promise<CheckResult> {
	const fix = 'Run Channel: Link Managed Identity and enter what it gives in Entra.';
	if (managedIdentityId === null) {
		const detail =
			'No managed identity is bound: Dynamics 365 sends no token, and a trigger that verifies refuses everything';
		return failed(detail, fix);
	}
	return await readAppOfIdentity(dataverse, managedIdentityId).then(
		(appId) =>
			appId === clientId
				? ok(`The managed identity ${managedIdentityId} is bound`)
				: failed(
						`The managed identity that is bound is of ${appId === null ? 'no app' : `the app ${appId}`}`,
						fix,
					),
		(error: unknown) => failure(error),
	);
}

const RENEW =
	'Run Channel: Link Managed Identity, and renew the federated credential of the app in Entra with the subject that it gives.';

async function checkSubject(
	dataverse: ServiceCalls,
	connection: Connection,
	linked: string | null,
): Promise<CheckResult> {
	return await readFederatedCredential(dataverse, connection, connection).then(
		({ subject }) => {
			if (subject === null) return warning('Dataverse did not say which subject it is', RENEW);
			if (linked === null) {
				return skipped(
					`It is ${subject}; nothing is known to compare it with`,
					'Compare it with the federated credential in Entra, or enter that one as Federated Subject. n8n does not remember what was linked in a run by hand.',
				);
			}
			if (subject === linked) return ok('It is the one that was linked last');
			return failed(
				'The subject has changed since it was last linked, as the webhook URL was changed',
				RENEW,
			);
		},
		(error: unknown) => failure(error),
	);
}

/** Microsoft's own tolerance is five minutes. Source: docs/service-facts.md#webhook-token. */
const MAX_SKEW_MS = 300_000;
const SUSPICIOUS_SKEW_MS = 60_000;

function checkClock(clock: number | undefined): CheckResult {
	if (clock === undefined) return skipped('The service showed no clock');
	const skew = Date.now() - clock;
	const detail = `The clock of this machine is ${Math.round(Math.abs(skew) / 1000)} s ${skew < 0 ? 'behind' : 'ahead of'} the service’s`;
	const fix = 'Set the clock of the machine that n8n runs on (NTP).';
	if (Math.abs(skew) > MAX_SKEW_MS) return failed(detail, fix);
	return Math.abs(skew) > SUSPICIOUS_SKEW_MS ? warning(detail, fix) : ok(detail);
}

/** The channel's record, or why it cannot be had: for the role, or for itself. */
interface Found {
	channel?: Channel;
	role: CheckResult;
	record: CheckResult;
}

const NOT_ALLOWED = new Set(['0x80040220', '0x80042f09', '0x80072560']);

async function readRecord(dataverse: ServiceCalls, channelId: string): Promise<Found> {
	// Read before it is judged: an answer that is no record is a finding like any other.
	const reading = dataverse.call(channelRequest(channelId)).then(({ json }) => readChannel(json));
	return await reading.then(
		async (channel) => ({
			channel,
			role: await checkRole(dataverse, channelId),
			record: ok(`The record of ${channel.name ?? channelId} is there`),
		}),
		(error: unknown) => {
			if (!(error instanceof ServiceError)) throw error;
			const isRole = NOT_ALLOWED.has(error.code ?? '') || error.httpCode === 401 || error.httpCode === 403;
			if (isRole) return { role: failure(error), record: skipped('It cannot be read') };
			if (error.code === '0x80040217') {
				const fix =
					'Enter the ID of a channel record of this environment in the credential (Channel: Get Many).';
				return {
					role: ok('The app may read'),
					record: failed(`There is no channel record ${channelId}`, fix),
				};
			}
			return { role: skipped('Not checked: the record could not be read'), record: failure(error) };
		},
	);
}

const GIVE_ROLE =
	'Give the application user a security role that may write Custom Messaging Channels, in the Power Platform admin center.';

/** Reading worked; registering and updating need the right to write, too. */
async function checkRole(dataverse: ServiceCalls, channelId: string): Promise<CheckResult> {
	const ask = async () => {
		const userId = readUserId((await dataverse.call(whoAmIRequest())).json);
		return readAccessRights((await dataverse.call(accessRequest(userId, channelId))).json);
	};
	return await ask().then(
		(rights) =>
			rights.includes('WriteAccess')
				? ok('The app may read and write the channel’s record')
				: failed('The app may read the channel’s record, but not write it', GIVE_ROLE),
		(error: unknown) => {
			if (!(error instanceof ServiceError)) throw error;
			return warning('The app may read the channel’s record; whether it may write is not known', GIVE_ROLE);
		},
	);
}

/** What a set-up is checked with. */
interface SetUp {
	/** With the channel that is to be checked. */
	connection: Connection;
	client: (service: 'messagingApi' | 'dataverse') => ServiceCalls;
	/** The federated subject that was entered in Entra, as far as is known. */
	linked: string | null;
	/** The ID of the n8n that checks. */
	instanceId: string;
}

/**
 * Walks the whole chain of a set-up and says of each link how it stands. Changes nothing. What cannot be judged because
 * an earlier link is broken is skipped, so that one mistake is named once.
 */
export async function checkSetup({
	connection,
	client,
	linked,
	instanceId,
}: SetUp): Promise<Array<{ check: CheckName } & CheckResult>> {
	const results: Partial<{ [check in CheckName]: CheckResult }> = {};
	const isOk = (check: CheckName) => results[check]?.status === 'ok';
	const broken = skipped('An earlier check explains it');

	results.credential = ok('Its fields hold what they should');
	results.messagingToken = await checkToken(connection);
	results.messagingHost = await checkHost(connection);
	const isReachable = isOk('messagingToken') && results.messagingHost.status !== 'failed';
	const accepted: Accepted = isReachable
		? await askService(client('messagingApi'))
		: { error: undefined, clock: undefined };

	results.dataverseToken =
		connection.environmentUrl === undefined
			? skipped(
					'Environment URL is empty in the credential, so the channel record cannot be read',
					'Enter the address of the Dynamics 365 environment in the credential.',
				)
			: isOk('messagingToken')
				? await checkToken(dataverseTokens(connection))
				: broken;
	const dataverse = isOk('dataverseToken') ? client('dataverse') : undefined;
	const { channelId } = connection;
	const record: Found = dataverse ? await readRecord(dataverse, channelId) : { role: broken, record: broken };
	results.dataverseRole = record.role;
	results.channelRecord = record.record;
	const { channel } = record;
	results.channelType = channel ? checkType(channel) : broken;
	results.channelApp = channel ? checkApp(channel, connection) : broken;
	results.channelTenant = channel ? checkTenant(channel, connection) : broken;
	results.workstream = isReachable ? checkWorkstream(channel, accepted) : broken;
	const reasons: CheckName[] = ['channelRecord', 'channelType', 'channelApp', 'channelTenant'];
	const isExplained = reasons.some((check) => results[check]?.status === 'failed');
	results.channelAccepted = isReachable ? checkAccepted(accepted, isExplained) : broken;
	results.webhookUrl = channel ? checkWebhookUrl(channel, connection) : broken;
	results.activeTrigger = channel && isOk('webhookUrl') ? await checkTrigger(channel, instanceId) : broken;
	results.managedIdentity =
		dataverse && channel ? await checkManagedIdentity(dataverse, channel, connection) : broken;
	results.federatedSubject =
		dataverse && isOk('managedIdentity') ? await checkSubject(dataverse, connection, linked) : broken;
	results.clock = checkClock(accepted.clock);
	return CHECKS.map((check) => ({ check, ...(results[check] ?? broken) }));
}
