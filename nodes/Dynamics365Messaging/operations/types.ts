import type { IDataObject } from 'n8n-workflow';
import type { Attachment } from '../activity/items';
import type { FetchOptions } from '../attachments/fetchAttachments';
import type {
	Delivered,
	StartedConversation,
	ConversationStart,
	Run,
} from '../messagingApi/startConversation';
import type { Connection } from '../connection';
import type { PagedRequest } from '../messagingApi/pages';
import type { Json } from '../../shared/json';
import type { ApiRequest, ReadRequest, SendRequest } from '../messagingApi/request';
import type * as shared from '../../shared/action/operation';
import type { BasePlan } from '../../shared/action/operation';
import type { BinaryFile } from './files';

export type ResourceName = 'channel' | 'conversation' | 'customEvent' | 'message';

/** The ids of the credential, which operations name or take for a default. */
export type CredentialIds = Pick<
	Connection,
	'channelId' | 'tenantId' | 'clientId' | 'origin' | 'environmentUrl'
>;

/** One call. */
export interface CallPlan {
	kind: 'call';
	request: ApiRequest;
	/** Turns the answer's JSON into the items that come out. */
	toItems: (answer: Json) => IDataObject[];
}

/** A list in pages. */
export interface ListPlan {
	kind: 'list';
	list: PagedRequest;
	/** Turns one entry into the item that comes out. */
	toItem: (entry: Json) => IDataObject;
}

/** Rows of Dataverse in pages. */
export interface RowsPlan {
	kind: 'rows';
	request: ReadRequest;
	/** How many at the most; undefined for all. */
	limit: number | undefined;
	toItem: (row: Json) => IDataObject;
}

/** Several calls, of which each needs the answer of the one before. */
export interface StepsPlan {
	kind: 'steps';
	/** @returns the items that come out. */
	run: (run: Run, host: Host) => Promise<IDataObject[]>;
}

/** What steps can ask of the n8n that they run in. */
export interface Host {
	/** The instance's own ID. */
	instanceId: string;
	/** What the workflow keeps from run to run. */
	memory: IDataObject;
}

/** Files to be fetched. */
export interface DownloadPlan {
	kind: 'download';
	attachments: Attachment[];
	limits: Pick<FetchOptions, 'maxBytes' | 'maxCount'>;
}

/** A conversation to be opened. */
export interface OpenPlan {
	kind: 'open';
	opening: ConversationStart;
	/**
	 * The start message as a message, for a conversation that was opened without it because an answer was lost;
	 * undefined where it would reach somebody else that way, or is too long.
	 */
	instead: ((conversationId: string) => SendRequest) | undefined;
	toItems: (opened: StartedConversation) => IDataObject[];
}

/** Something to be said, in the customer's conversation or in a new one. */
export interface DeliverPlan {
	kind: 'deliver';
	opening: ConversationStart;
	message: (conversationId: string) => SendRequest;
	toItems: (delivered: Delivered) => IDataObject[];
}

/** What an item asks for, read and checked, before anything is sent. */
export type Plan = (CallPlan | ListPlan | RowsPlan | StepsPlan | DownloadPlan | OpenPlan | DeliverPlan) &
	BasePlan & {
		/** The item's binary fields that go along, which are read only when it is their turn. */
		files?: BinaryFile[];
	};

/** One operation of the action node. What it knows of the credential is what activities and the channel's record name. */
export type Operation = shared.Operation<CredentialIds, Plan, ResourceName>;
