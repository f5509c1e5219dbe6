import type { IDataObject } from 'n8n-workflow';
import type { Json } from '../../shared/json';
import type { ReadRequest, SendRequest } from '../../shared/transport/request';
import type { BasePlan, Operation as SharedOperation } from '../../shared/action/operation';
import type { Connection } from '../api/connection';

export type ResourceName = 'conversation' | 'message' | 'participant' | 'template';

/** One call. */
export interface CallPlan {
	kind: 'call';
	request: ReadRequest | SendRequest;
	/**
	 * Turns the answer's JSON into the items that come out.
	 * @throws ServiceError where a success is none.
	 */
	toItems: (answer: Json) => IDataObject[];
	/** What is said below the node. */
	hint?: string;
}

/** A list in pages. */
export interface ListPlan {
	kind: 'list';
	request: ReadRequest;
	/** How many at the most; undefined for all. */
	limit: number | undefined;
	/** Turns one entry into the item that comes out. */
	toItem: (entry: Json) => IDataObject;
}

/** What an item asks for, read and checked, before anything is sent. */
export type Plan = (CallPlan | ListPlan) & BasePlan;

/** One operation of the action node. */
export type Operation = SharedOperation<Connection, Plan, ResourceName>;
