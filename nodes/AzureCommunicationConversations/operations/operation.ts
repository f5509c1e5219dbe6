import type * as action from '../../shared/action/operation';
import type { Connection } from '../api/connection';

/** The one service of the node. */
export type ServiceName = 'communication';

/** One operation of the node. */
export type Operation = action.Operation<Connection, ServiceName>;

/** A resource of the node. */
export type Resource = action.Resource<Operation>;
