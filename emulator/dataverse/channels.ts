import { createHash } from 'node:crypto';
import { type Row, tableOf } from './schema';
import type { Tables } from './tables';
import type { Settings } from '../settings';
import type { World } from '../world';

/** The part of Microsoft Entra ID that concerns the channel's managed identity. */
export interface Entra {
	/** The subjects of the federated credentials of the app registration. */
	federatedSubjects: Set<string>;
}

/** A channel, as its record in Dataverse defines it. */
export interface Channel {
	id: string;
	name: string;
	webhookUrl: string | null;
	workstreamId: string | null;
	/** Whether its kind is Messaging API; there are other kinds. */
	isMessagingApi: boolean;
	/** Whether the record names the world's app and tenant. */
	isOfApp: boolean;
	/** Whether Entra issues tokens for the channel's managed identity, so that deliveries can be signed. */
	isTrusted: boolean;
}

const CHANNELS = tableOf('msdyn_occustommessagingchannel');
const IDENTITIES = tableOf('managedidentity');
const WORKSTREAMS = tableOf('msdyn_liveworkstream');
const LANGUAGES = tableOf('msdyn_oclanguage');
const SURVEYS = tableOf('msfp_survey');
const MESSAGING_API = 192350005;
/** The `credentialsource` of an identity that Power Platform manages. It is the only kind that needs no secret. */
const IS_MANAGED = 2;

const textOf = (row: Row, column: string): string | null => {
	const value = row[column];
	return typeof value === 'string' ? value : null;
};
const isSame = (value: string | null, expected: string) => value?.toLowerCase() === expected.toLowerCase();

/** The id of Power Platform's app as subjects encode it. Documented for plug-ins, inferred for channels. */
const POWER_PLATFORM = 'qzXoWDkuqUa3l6zM5mM0Rw';

/** Encodes a GUID's bytes, in .NET's order, as base64url. */
function encodeGuid(guid: string): string {
	const [a = '', b = '', c = '', ...rest] = guid.split('-');
	const reversed = [a, b, c].map((part) => Buffer.from(part, 'hex').reverse());
	return Buffer.concat([...reversed, Buffer.from(rest.join(''), 'hex')]).toString('base64url');
}

/**
 * The subject of the token of a channel's managed identity.
 *
 * Public reports show that it begins with `/eid1/c/pub/t/` and ends with `/h/` and a hash. It is documented that another
 * webhook URL changes it. What is hashed is inferred, and so is that an earlier URL has its earlier subject again.
 */
function federatedSubject(channel: Row, identity: Row, world: World): string {
	const tenant = encodeGuid(String(identity.tenantid ?? world.tenantId));
	const hash = createHash('sha256')
		.update(`${String(channel.msdyn_occustommessagingchannelid)} ${String(channel.msdyn_webhookurl)}`)
		.digest('hex');
	return `/eid1/c/pub/t/${tenant}/a/${POWER_PLATFORM}/n/msdyn_occustommessagingchannel/e/${world.environmentId}/h/${hash}`;
}

/** The records of channels, as the Messaging API, the deliveries and the desk read them. */
export class Channels {
	constructor(
		private readonly tables: Tables,
		private readonly world: World,
		settings: Settings,
		private readonly entra: Entra,
	) {
		tables.onChange(() => {
			if (settings.federationFollows) this.trustAll();
		});
	}

	/** Creates the records of the world's channel, and of what it can refer to. */
	seed(): void {
		const { world } = this;
		for (const { id, localeCode, localeId, name } of world.languages) {
			this.tables.create(LANGUAGES, {
				msdyn_oclanguageid: id,
				msdyn_languagename: name,
				msdyn_localecode: localeCode,
				msdyn_localeid: localeId,
			});
		}
		for (const { id, name } of world.surveys) {
			this.tables.create(SURVEYS, { msfp_surveyid: id, msfp_name: name });
		}
		this.tables.create(WORKSTREAMS, {
			msdyn_liveworkstreamid: world.workstreamId,
			msdyn_name: world.workstreamName,
		});
		this.tables.create(IDENTITIES, {
			managedidentityid: world.managedIdentityId,
			name: world.channelName,
			applicationid: world.clientId,
			tenantid: world.tenantId,
			credentialsource: IS_MANAGED,
			subjectscope: 1,
		});
		this.tables.create(CHANNELS, {
			msdyn_occustommessagingchannelid: world.channelId,
			msdyn_name: world.channelName,
			msdyn_occustomchannelid: MESSAGING_API,
			msdyn_appid: world.clientId,
			msdyn_tenantid: world.tenantId,
			_managedidentityid_value: world.managedIdentityId,
			_msdyn_liveworkstreamid_value: world.workstreamId,
		});
	}

	/** Finds a channel. @param id in lower case @returns undefined when there is no such record */
	find(id: string): Channel | undefined {
		const row = this.tables.find(CHANNELS, id);
		if (!row) return undefined;
		const { clientId, tenantId } = this.world;
		return {
			id,
			name: textOf(row, 'msdyn_name') ?? '',
			webhookUrl: textOf(row, 'msdyn_webhookurl'),
			workstreamId: textOf(row, '_msdyn_liveworkstreamid_value'),
			isMessagingApi: row.msdyn_occustomchannelid === MESSAGING_API,
			isOfApp:
				isSame(textOf(row, 'msdyn_appid'), clientId) && isSame(textOf(row, 'msdyn_tenantid'), tenantId),
			isTrusted: this.isTrusted(row),
		};
	}

	/** The world's channel. */
	own(): Channel | undefined {
		return this.find(this.world.channelId);
	}

	/** Writes the webhook URL into the record of the world's channel. @returns false when the record was deleted */
	setWebhookUrl(url: string | null): boolean {
		if (!this.own()) return false;
		this.tables.update(CHANNELS, this.world.channelId, { msdyn_webhookurl: url });
		return true;
	}

	/** The federated subject of a channel's current record; undefined when it has no managed identity. */
	subjectOf(channel: Row): string | undefined {
		const identity = this.identityOf(channel);
		return identity && federatedSubject(channel, identity, this.world);
	}

	private identityOf(channel: Row): Row | undefined {
		const id = textOf(channel, '_managedidentityid_value');
		return id === null ? undefined : this.tables.find(IDENTITIES, id);
	}

	/** Entra has federated credentials for the world's app only, not for identities of other apps or tenants. */
	private isTrusted(channel: Row): boolean {
		const identity = this.identityOf(channel);
		const subject = this.subjectOf(channel);
		return (
			identity?.credentialsource === IS_MANAGED &&
			isSame(textOf(identity, 'applicationid'), this.world.clientId) &&
			isSame(textOf(identity, 'tenantid'), this.world.tenantId) &&
			subject !== undefined &&
			this.entra.federatedSubjects.has(subject)
		);
	}

	private trustAll(): void {
		for (const channel of this.tables.all(CHANNELS)) {
			const subject = this.subjectOf(channel);
			if (subject !== undefined) this.entra.federatedSubjects.add(subject);
		}
	}
}
