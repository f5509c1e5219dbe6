import type { Identity } from '../entra/identity';
import type { CommunicationAuthentication } from '../log';
import type { Settings } from '../settings';
import { COMMUNICATION_RESOURCE, type World } from '../world';
import { CommunicationError } from './errors';
import { isSame, refuseSignature, type SignedRequest } from './signature';

export interface AccessParts {
	world: World;
	settings: Settings;
	identity: Identity;
}

/** How a request authenticates. A bearer token that is not the user's counts as one of Entra. */
export function authenticationOf(
	authorization: string | undefined,
	{ communicationUserToken }: World,
): CommunicationAuthentication | undefined {
	if (/^HMAC-SHA256\b/i.test(authorization ?? '')) return 'accessKey';
	const token = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1];
	if (token === undefined) return undefined;
	return isSame(token, communicationUserToken) ? 'userToken' : 'entra';
}

/** Checks the authentication of a request. @throws CommunicationError when it is missing, not valid or not allowed */
export async function admit(
	{ identity, settings, world }: AccessParts,
	request: SignedRequest,
	authentication: CommunicationAuthentication | undefined,
): Promise<void> {
	if (authentication === undefined) {
		throw new CommunicationError(
			'Unauthorized',
			'There is neither a bearer token nor an HMAC-SHA256 signature.',
		);
	}
	if (authentication === 'accessKey') {
		const refusal = refuseSignature(request, world.communicationAccessKey, Date.now() + settings.clockSkewMs);
		if (refusal) throw new CommunicationError('Denied', refusal);
	}
	if (authentication === 'entra') {
		const refusal = await identity.refuses(request.headers.authorization, COMMUNICATION_RESOURCE);
		if (refusal) throw new CommunicationError('Unauthorized', refusal);
	}
	if (settings.communication.refuse === authentication) {
		throw new CommunicationError('Forbidden', 'This kind of authentication may not do this.');
	}
}
