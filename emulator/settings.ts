/** How activities are delivered to the webhook. */
export interface DeliverySettings {
	/** Tries per activity. Documented: 3. */
	tries: number;
	/** Longest wait for an answer, milliseconds. Documented: 10 s. */
	timeoutMs: number;
	/** Pause between two tries, milliseconds. Not documented. */
	retryDelayMs: number;
	/** Whether a conversation's deliveries wait for one another, tries and all. Not documented. */
	oneAtATime: boolean;
	/** Whether deliveries have a bearer token, as those of a channel with a managed identity do. */
	signed: boolean;
	/** The version of the token, which the app's manifest decides. */
	tokenVersion: 1 | 2;
	/** `documented`: as in the samples. `pascal`: every activity in PascalCase. */
	casing: 'documented' | 'pascal';
	/** The samples have system events as messages, the table has them as events. */
	systemEventsAs: 'message' | 'event';
}

/** Answers with this status, by default instead of carrying out the request. */
export interface StatusFault {
	status: number;
	/** True: the request is carried out first, and its answer replaced. */
	isCarriedOut?: boolean;
	/** Seconds; a string, e.g. an HTTP date, is sent as it is. */
	retryAfter?: number | string;
	/**
	 * The error code of the Messaging API, e.g. 30015, of the token endpoint (an AADSTS number) or of Dataverse, e.g.
	 * `0x80072321`. Azure Communication Services has no numbers, and ignores it.
	 */
	code?: number;
	/** Replaces the service's own body, e.g. with the page of a proxy, a bare string or nothing. */
	body?: string;
	/** The media type of `body`. Default: no Content-Type header. */
	contentType?: string;
}

/** What a fault rule does to a request. */
export type FaultAction =
	| StatusFault
	/** Cuts the connection before the request is carried out. */
	| 'resetBefore'
	/** Carries out the request, then cuts the connection instead of answering. */
	| 'resetAfter'
	/** Carries out the request after a pause, in milliseconds. */
	| { delayMs: number }
	/** Revokes every access token issued so far, including that of this request. */
	| 'revokeTokens'
	/** Signs new tokens with a new key. Access tokens of older keys are refused, including that of this request. */
	| 'rotateKeys';

/** A rule that injects a fault. The first rule that matches a request is applied. */
export interface FaultRule {
	/**
	 * A field left out matches everything. `operationId` is one of the three contracts (those of Dataverse begin with
	 * `dataverse.`, those of Azure Communication Services with `communication.`), or `token` for the token endpoint;
	 * `customerId` is the `customerid` in the body of a create; `usedToken` is whether a service has accepted the
	 * request's token before.
	 */
	match?: { operationId?: string; conversationId?: string; customerId?: string; usedToken?: boolean };
	action: FaultAction;
	/** How many times the rule still applies; counted down in place. Default: always. */
	times?: number;
	/** From 0 to 1. Default 1. The random numbers are the same in every run. */
	probability?: number;
}

/** Wrong behaviour of the lists `/conversations` and `/messages`, to test how clients handle it. */
export interface ListSettings {
	/** Pages have 3 entries, whatever the request asks for. */
	ignorePageSize?: boolean;
	/** The first page's continuation token comes again with every later page, while the entries go on. */
	repeatToken?: boolean;
	/** Every continuation token is answered with 30009. */
	rejectTokens?: boolean;
	/** Without an end: every page after the first has no entries, but a new continuation token. */
	emptyPages?: boolean;
	/** Without an end: every page has the first page's entries, and a new continuation token. */
	samePage?: boolean;
}

/** The app's rights in Dataverse, and the size of pages. */
export interface DataverseSettings {
	/** False: the app has no application user, and is answered with 403. */
	applicationUser: boolean;
	/** The rights of the application user. `none`: it has no role at all. */
	role: 'full' | 'readOnly' | 'none';
	/** Whether the application user has the role Omnichannel administrator, which the availability of representatives needs. */
	omnichannelAdministrator: boolean;
	/** The largest page, and the page size of a request that names none. Documented: 5000. */
	maxPageSize: number;
}

/** How available the representatives of the queue are. A person at the desk changes it; nothing follows from the clock. */
export interface AvailabilitySettings {
	/** Whether it is within operating hours now. */
	isOpen: boolean;
	/** When the queue opens next, ISO 8601; null for never. */
	opensAt: string | null;
	/** When it closes, ISO 8601; null for never. While it is closed, the end of its next hours. */
	closesAt: string | null;
	/** How many representatives are free. */
	representatives: number;
	/** Whether an AI agent is on the queue, which counts as available. */
	aiAgent: boolean;
	/** How many customers of other channels wait before those of the emulator's own conversations. */
	waitingBefore: number;
	/** How long customers wait on average, seconds; null where it is not known. */
	averageWaitSeconds: number | null;
	/** False: the answer has the wait in minutes only. */
	hasSeconds: boolean;
	/** Of the answer's keys; both have been seen. */
	casing: 'pascal' | 'camel';
}

/** When and how the transcripts of closed conversations are written. Neither is documented. */
export interface TranscriptSettings {
	/** From the close of a conversation, milliseconds. */
	delayMs: number;
	/** The content of the note: the list of messages itself, or an object that has it as a text. Both are seen. */
	form: 'list' | 'content';
}

/** Wrong behaviour of the lists of Azure Communication Services, to test how clients handle it. */
export interface CommunicationListSettings {
	/** Every `nextLink` leads to another origin, where no credentials must be sent. */
	foreignNextLink?: boolean;
	/** Without an end: every page's `nextLink` leads to the same page again. */
	sameLink?: boolean;
	/** Between two pages there is one without entries. */
	emptyPages?: boolean;
	/** The entries of `/conversations` say `conversationId` where the schema says `id`, as in one of Microsoft's examples. */
	idAsConversationId?: boolean;
}

/** Which authentication Azure Communication Services refuses, and how its lists behave. */
export interface CommunicationSettings {
	/** The kind of authentication that is answered 403, as for lack of a role; null for none. */
	refuse: 'accessKey' | 'userToken' | 'entra' | null;
	/** The largest page, and the page size of a request that names none. Not documented. */
	maxPageSize: number;
	lists: CommunicationListSettings;
}

/** What can be changed while the emulator runs; it takes effect with the next request or delivery. */
export interface Settings {
	/** How long `/context` stays empty after the start of a conversation, milliseconds. */
	contextLagMs: number;
	/**
	 * True: the messages and the context of a conversation in wrap-up or closed can be read all the same, to see what a
	 * workflow would do then. Documented: false, as a closed one is answered 404; that one in wrap-up is, too, is inferred.
	 */
	readAfterClose: boolean;
	delivery: DeliverySettings;
	faults: FaultRule[];
	/** The key of the body code in a problem; not documented. */
	errorCodeKey: string;
	/** False: the channel has no workstream, which is answered with 30014. */
	linkedToWorkstream: boolean;
	/** False: the channel is not authorised for the organisation, which is answered with 401. */
	channelAuthorized: boolean;
	/** How long access tokens are good, seconds. */
	tokenLifetimeSeconds: number;
	/** After how many seconds Entra advises to refresh an access token (`refresh_in`); null for no advice. */
	tokenRefreshSeconds: number | null;
	/** The largest embedded file that the organisation allows. */
	maxAttachmentBytes: number;
	lists: ListSettings;
	dataverse: DataverseSettings;
	availability: AvailabilitySettings;
	transcripts: TranscriptSettings;
	communication: CommunicationSettings;
	/** True: Entra trusts every new federated subject at once, as if an administrator had added it. */
	federationFollows: boolean;
	/** By how much the services' clock, and so the `Date` of answers, is ahead of this machine's, milliseconds. */
	clockSkewMs: number;
}

/** The default settings: Microsoft's documented values, and no faults. Each emulator gets an object of its own. */
export const defaultSettings = (): Settings => ({
	contextLagMs: 500,
	readAfterClose: false,
	delivery: {
		tries: 3,
		timeoutMs: 10_000,
		retryDelayMs: 1_000,
		oneAtATime: true,
		signed: true,
		tokenVersion: 1,
		casing: 'documented',
		systemEventsAs: 'message',
	},
	faults: [],
	errorCodeKey: 'errorCode',
	linkedToWorkstream: true,
	channelAuthorized: true,
	tokenLifetimeSeconds: 3600,
	tokenRefreshSeconds: null,
	maxAttachmentBytes: 5 * 1024 * 1024,
	lists: {},
	dataverse: { applicationUser: true, role: 'full', omnichannelAdministrator: true, maxPageSize: 5_000 },
	availability: {
		isOpen: true,
		opensAt: null,
		closesAt: null,
		representatives: 1,
		aiAgent: false,
		waitingBefore: 0,
		averageWaitSeconds: 60,
		hasSeconds: true,
		casing: 'pascal',
	},
	transcripts: { delayMs: 3_000, form: 'list' },
	communication: { refuse: null, maxPageSize: 100, lists: {} },
	federationFollows: true,
	clockSkewMs: 0,
});

/** Makes random numbers from 0 to 1 that are the same in every run (mulberry32), so that tests with a probability are reproducible. */
export function seededRandom(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}

/** The part of a request that fault rules are compared with. */
export interface FaultTarget {
	operationId: string | null;
	conversationId?: string;
	customerId?: string;
	/** Whether it has a token or asks for one. Faults that spoil tokens apply only then. */
	hasToken: boolean;
	/** Whether a service has accepted its token before. */
	usedToken?: boolean;
}

/**
 * Finds the fault for a request, and counts the rule's `times` down; undefined when no rule matches.
 *
 * @param random gives numbers from 0 to 1
 */
export function takeFault(
	rules: FaultRule[],
	request: FaultTarget,
	random: () => number,
): FaultAction | undefined {
	const rule = rules.find(
		({ action, match = {}, times = 1, probability = 1 }) =>
			times > 0 &&
			(request.hasToken || (action !== 'revokeTokens' && action !== 'rotateKeys')) &&
			(match.operationId === undefined || match.operationId === request.operationId) &&
			(match.conversationId === undefined || match.conversationId === request.conversationId) &&
			(match.customerId === undefined || match.customerId === request.customerId) &&
			(match.usedToken === undefined || match.usedToken === request.usedToken) &&
			(probability >= 1 || random() < probability),
	);
	if (rule?.times !== undefined) rule.times -= 1;
	return rule?.action;
}
