import { createHash } from 'node:crypto';
import type { World } from '../world';
import type { Row } from './schema';

/** The app of Power Platform in the form that subjects have it: documented for plug-ins, inferred for channels. */
const POWER_PLATFORM = 'qzXoWDkuqUa3l6zM5mM0Rw';

/** A GUID's bytes in the order in which .NET has them, in base64 for URLs. */
function encodeGuid(guid: string): string {
	const [a = '', b = '', c = '', ...rest] = guid.split('-');
	const reversed = [a, b, c].map((part) => Buffer.from(part, 'hex').reverse());
	return Buffer.concat([...reversed, Buffer.from(rest.join(''), 'hex')]).toString('base64url');
}

/**
 * The subject that the token of a channel's managed identity has.
 *
 * That it begins `/eid1/c/pub/t/` and ends in `/h/` and a hash is what public reports show, that another webhook URL makes
 * another one is documented. Of what it is the hash is inferred; so is that a URL that comes back has its old subject.
 */
export function federatedSubject(channel: Row, identity: Row, world: World): string {
	const tenant = encodeGuid(String(identity.tenantid ?? world.tenantId));
	const hash = createHash('sha256')
		.update(`${String(channel.msdyn_occustommessagingchannelid)} ${String(channel.msdyn_webhookurl)}`)
		.digest('hex');
	return `/eid1/c/pub/t/${tenant}/a/${POWER_PLATFORM}/n/msdyn_occustommessagingchannel/e/${world.environmentId}/h/${hash}`;
}
