import type { ContractError } from './contract/open';
import type { FaultAction } from './settings';

interface EntryHead {
	/** Counts from 1. */
	seq: number;
	/** ISO 8601. */
	at: string;
}

/** With what an app says who it is. */
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

/** A call of the Messaging API. */
export interface RequestEntry extends EntryHead {
	kind: 'request';
	method: string;
	/** With its query. */
	path: string;
	/** Null when the contract has no such call. */
	operationId: string | null;
	/** What was answered; 0 when the connection was cut on purpose. */
	status: number;
	errorCode?: number;
	correlationId: string;
	/** Of the path, or the conversation that was created or found. */
	conversationId?: string;
	customerId?: string;
	/** The message that this request stored, whether or not its answer was delivered. */
	messageId?: string;
	/** What was made to go wrong. */
	fault?: FaultAction;
	/** Parsed; base64 content is shortened. */
	body?: unknown;
	contractErrors: ContractError[];
}

/** A call of the Dataverse Web API. Never holds a token or a secret. */
export interface DataverseEntry extends EntryHead {
	kind: 'dataverse';
	method: string;
	/** With its query. */
	path: string;
	/** Null when the contract has no such call. */
	operationId: string | null;
	/** What was answered; 0 when the connection was cut on purpose. */
	status: number;
	/** In hexadecimal, as it was answered; empty where Dataverse gives none. */
	errorCode?: string;
	/** The answer's `x-ms-service-request-id`. */
	serviceRequestId: string;
	/** What was made to go wrong. */
	fault?: FaultAction;
	/** Parsed. */
	body?: unknown;
}

/** With what a caller of Azure Communication Services says who it is. */
export type CommunicationAuthentication = 'entra' | 'accessKey' | 'userToken';

/** A call of Azure Communication Services. Never holds a token, a key or a signature. */
export interface CommunicationEntry extends EntryHead {
	kind: 'communication';
	method: string;
	/** With its query, as it was sent. */
	path: string;
	/** Null when the contract has no such call. */
	operationId: string | null;
	/** What was answered; 0 when the connection was cut on purpose. */
	status: number;
	errorCode?: string;
	/** The reason, as it was answered. */
	errorMessage?: string;
	/** The answer's `MS-CV`. */
	correlationId: string;
	/** Undefined when there was neither a token nor a signature; a bearer token that is no good counts as one of Entra. */
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
	/** What was made to go wrong. */
	fault?: FaultAction;
	/** Parsed. */
	body?: unknown;
}

export interface DeliveryTry {
	at: string;
	/** The answer's status, or the error that came in its place. */
	status?: number;
	error?: string;
	ms: number;
}

/** An activity on its way to the webhook. This entry changes while it is being tried. */
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

export type DeskAction =
	| 'accept'
	| 'typing'
	| 'reply'
	| 'transfer'
	| 'outOfHours'
	| 'customEvent'
	| 'wrapUp'
	| 'close'
	| 'deliver'
	| 'webhookUrl';

/** What a person made go wrong at the desk, or mended again. */
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

/** An entry before it has its place in the log. */
export type NewEntry<E extends LogEntry> = Omit<E, keyof EntryHead>;

/** Everything that happened, in order; entries are never removed. */
export class Log {
	readonly entries: LogEntry[] = [];
	private readonly listeners = new Set<(entry: LogEntry) => void>();

	/** Adds an entry and gives it back; change it later only together with {@link changed}. */
	add<E extends LogEntry>(details: NewEntry<E>): E {
		// The spread of a generic type is the one thing here that the compiler cannot follow.
		const entry = { seq: this.entries.length + 1, at: new Date().toISOString(), ...details } as E;
		this.entries.push(entry);
		this.changed(entry);
		return entry;
	}

	/** Tells the listeners that an entry is there or has changed. */
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

/** A copy of a request body that is fit for a log: embedded file content is cut short, a secret is left out. */
export function shortened(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(shortened);
	if (typeof value !== 'object' || value === null) return value;
	return Object.fromEntries(
		Object.entries(value).map(([key, inner]) => {
			// A column of Dataverse's managedidentity, which nobody here has a reason to send.
			if (key === 'clientsecret') return [key, '…'];
			if (key !== 'contentUrl' || typeof inner !== 'string' || inner.length <= LONGEST_CONTENT_URL) {
				return [key, shortened(inner)];
			}
			return [key, `${inner.slice(0, 60)}… (${inner.length} characters)`];
		}),
	);
}
