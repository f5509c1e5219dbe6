import type { ContractError } from './contract/open';
import type { FaultAction } from './settings';

interface EntryHead {
	/** Counts from 1. */
	seq: number;
	/** ISO 8601. */
	at: string;
}

/** How an app authenticates at the token endpoint. */
export type Authentication = 'secret' | 'certificate';

/** A request for an access token. Never holds a secret or a token. */
export interface TokenEntry extends EntryHead {
	kind: 'token';
	status: number;
	/** The number of the AADSTS error, if it was refused. */
	errorCode?: number;
	tenant: string;
	clientId?: string;
	scope?: string;
	authentication?: Authentication;
}

/** A call of a service that has a contract. Never holds a token, a key or a secret. */
interface CallEntry extends EntryHead {
	method: string;
	/** Path and query, as they were sent. */
	path: string;
	/** Null when the contract has no such call. */
	operationId: string | null;
	/** The status of the answer; 0 when the connection was cut on purpose. */
	status: number;
	/** The fault that was injected. */
	fault?: FaultAction;
	/** Parsed; base64 content is shortened. */
	body?: unknown;
}

/** A call of the Messaging API. */
export interface RequestEntry extends CallEntry {
	kind: 'request';
	errorCode?: number;
	correlationId: string;
	/** Of the path, or the conversation that was created or found. */
	conversationId?: string;
	customerId?: string;
	/** The message that this request stored, whether or not its answer was delivered. */
	messageId?: string;
	contractErrors: ContractError[];
}

/** A call of the Dataverse Web API. */
export interface DataverseEntry extends CallEntry {
	kind: 'dataverse';
	/** In hexadecimal, as it was answered; empty where Dataverse gives none. */
	errorCode?: string;
	/** The answer's `x-ms-service-request-id`. */
	serviceRequestId: string;
}

/** How a caller of Azure Communication Services authenticates. */
export type CommunicationAuthentication = 'entra' | 'accessKey' | 'userToken';

/** A call of Azure Communication Services. */
export interface CommunicationEntry extends CallEntry {
	kind: 'communication';
	errorCode?: string;
	/** The reason, as it was answered. */
	errorMessage?: string;
	/** The answer's `MS-CV`. */
	correlationId: string;
	/** Undefined when there was neither a token nor a signature; an invalid bearer token counts as one of Entra. */
	authentication?: CommunicationAuthentication;
	repeatabilityRequestId?: string;
	/** `Repeatability-First-Sent` as it came. */
	firstSent?: string;
	/** Whether it was answered with the answer to an earlier request of the same id. */
	repeated: boolean;
	/** Of the path, or the conversation that was created. */
	conversationId?: string;
	/** The message that this request stored, whether or not its answer was delivered. */
	messageId?: string;
}

/** One attempt to deliver an activity. */
interface DeliveryTry {
	/** ISO 8601. */
	at: string;
	/** The status of the answer; undefined when there was none. */
	status?: number;
	/** Why there was no answer. */
	error?: string;
	/** Why it was not taken, in plain words, and what to do; undefined when it was. */
	explanation?: string;
	/** How long it took, milliseconds. */
	ms: number;
}

/** An activity that is delivered to the webhook. This entry changes with each try. */
export interface DeliveryEntry extends EntryHead {
	kind: 'delivery';
	conversationId: string;
	activity: unknown;
	/** Null while it is queued, and when no webhook URL is set. */
	url: string | null;
	tries: DeliveryTry[];
	/** `refused`: the last try was answered, but not with 200. `failed`: it was not answered at all. */
	outcome: 'pending' | 'accepted' | 'refused' | 'failed';
}

/** What a representative can do at the desk. */
export type DeskAction =
	| 'accept'
	| 'typing'
	| 'reply'
	| 'privateNote'
	| 'linkCase'
	| 'transfer'
	| 'outOfHours'
	| 'customEvent'
	| 'wrapUp'
	| 'close'
	| 'deliver'
	| 'customerWrites'
	| 'customerLeaves'
	| 'webhookUrl'
	| 'availability';

/** How a person at the desk breaks a service, or repairs it. */
export type BreakAction = 'addFault' | 'clearFaults' | 'revokeTokens' | 'rotateKeys' | 'signDeliveries';

/** What a person did at the desk. */
export interface DeskEntry extends EntryHead {
	kind: 'desk';
	action: DeskAction | BreakAction;
	conversationId?: string;
	detail?: string;
}

export type ConversationState = 'waiting' | 'active' | 'wrapUp' | 'closed';

/** A conversation began (`from` is null) or changed its state. */
export interface StateEntry extends EntryHead {
	kind: 'state';
	conversationId: string;
	from: ConversationState | null;
	to: ConversationState;
}

export type LogEntry =
	TokenEntry | RequestEntry | DataverseEntry | CommunicationEntry | DeliveryEntry | DeskEntry | StateEntry;

/** An entry without its place in the log. */
type NewEntry<E extends LogEntry> = Omit<E, keyof EntryHead>;

/** Everything that happened, in order; entries are never removed. */
export class Log {
	readonly entries: LogEntry[] = [];
	private readonly listeners = new Set<(entry: LogEntry) => void>();

	/** Adds an entry and returns it. Whoever changes it later must call {@link changed}. */
	add<E extends LogEntry>(details: NewEntry<E>): E {
		// The compiler cannot follow the spread of a generic type.
		const entry = { seq: this.entries.length + 1, at: new Date().toISOString(), ...details } as E;
		this.entries.push(entry);
		this.changed(entry);
		return entry;
	}

	/** Tells the listeners that an entry is new or has changed. */
	changed(entry: LogEntry): void {
		for (const listener of this.listeners) listener(entry);
	}

	/** @returns a function that ends the subscription */
	subscribe(listener: (entry: LogEntry) => void): () => void {
		this.listeners.add(listener);
		return () => this.listeners.delete(listener);
	}
}

const LONGEST_CONTENT_URL = 200;

/** Copies a request body for the log: the content of embedded files is shortened, and secrets are left out. */
export function shortened(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(shortened);
	if (typeof value !== 'object' || value === null) return value;
	return Object.fromEntries(
		Object.entries(value).map(([key, inner]) => {
			// A column of Dataverse's managedidentity. No client has a reason to send it.
			if (key === 'clientsecret') return [key, '…'];
			if (key !== 'contentUrl' || typeof inner !== 'string' || inner.length <= LONGEST_CONTENT_URL) {
				return [key, shortened(inner)];
			}
			return [key, `${inner.slice(0, 60)}… (${inner.length} characters)`];
		}),
	);
}
