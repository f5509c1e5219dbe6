import type * as action from '../../shared/action/operation';
import type { Connection } from '../connection';

/** The services of the node: the Messaging API, and Dataverse, which holds the channel's record. */
export type ServiceName = 'messagingApi' | 'dataverse';

/** The IDs of the credential, which operations name or take for a default. */
export type CredentialIds = Pick<
	Connection,
	'channelId' | 'tenantId' | 'clientId' | 'origin' | 'environmentUrl'
>;

/** What an item of the node asks for. */
export type Plan = action.Plan<Connection, ServiceName>;

/**
 * How long an operation's `action` may be, characters. n8n calls a tool by it and the node's name, and cuts off what is
 * longer than 64 characters: of a second such tool the number by which they differ.
 */
export const MAX_ACTION_LENGTH = 37;

/** One operation of the node. */
export type Operation = action.Operation<Connection, ServiceName, CredentialIds>;

/** A resource of the node. */
export type Resource = action.Resource<Operation>;

/** What the steps of an operation of the node work with. */
export type StepsContext = action.StepsContext<Connection, ServiceName>;
