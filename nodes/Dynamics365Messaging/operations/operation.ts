import type * as action from '../../shared/action/operation';
import type { Connection } from '../connection';

/** The services of the node: the Messaging API, and Dataverse, which holds the channel's record. */
export type ServiceName = 'messagingApi' | 'dataverse';

/** What operations may know of the connection: IDs that they send or take as defaults, and addresses to compare with. */
export type CredentialIds = Pick<
	Connection,
	'channelId' | 'tenantId' | 'clientId' | 'origin' | 'environmentUrl'
>;

/** The plan of an item of the node. */
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

/** What the steps of an operation get. */
export type StepsContext = action.StepsContext<Connection, ServiceName>;
