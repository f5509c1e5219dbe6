/** How activities are delivered to the webhook. */
export interface DeliverySettings {
	/** Tries per activity. Documented: 3. */
	tries: number;
	/** Longest wait for an answer, milliseconds. Documented: 10 s. */
	timeoutMs: number;
	/** Pause between two tries, milliseconds. Not documented. */
	retryDelayMs: number;
	/** Whether a managed identity is set up, i.e. whether a bearer token is sent. */
	signed: boolean;
	/** Version of the token that is sent; follows the app's manifest. */
	tokenVersion: 1 | 2;
	/** `documented`: as in the samples. `pascal`: every activity in PascalCase. */
	casing: 'documented' | 'pascal';
	/** The samples have system events as messages, the table has them as events. */
	systemEventsAs: 'message' | 'event';
}

/** Answers with this status in place of processing the request. */
export interface StatusFault {
	status: number;
	/** Seconds; a string, e.g. an HTTP date, is sent as it is. */
	retryAfter?: number | string;
	/**
	 * A body code such as 30015; on the token endpoint also the number of an AADSTS error, and on Dataverse its own, e.g.
	 * `0x80072321`. Azure Communication Services has no numbers, and does not look at it.
	 */
	code?: number;
	/** Sent as it is in place of the error's own body: the page of a proxy, a bare string, nothing. */
	body?: string;
	/** Media type of `body`; left out, none is sent. */
	contentType?: string;
}

export type FaultAction =
	| StatusFault
	/** Cuts the connection before the request is processed. */
	| 'resetBefore'
	/** Processes the request, then cuts the connection in place of an answer. */
	| 'resetAfter'
	/** Processes the request after a pause. */
	| { delayMs: number }
	/** Every access token that was issued until now is refused from now on, that of this request too. */
	| 'revokeTokens'
	/** Signs with a new key from now on; the Messaging API accepts no access token of an older one, also not this request's. */
	| 'rotateKeys';

/** What goes wrong, and when. The first rule that matches a request is applied. */
export interface FaultRule {
	/**
	 * A field left out matches everything. `operationId` is one of the three contracts (those of Dataverse begin with
	 * `dataverse.`, those of Azure Communication Services with `communication.`), or `token` for the token endpoint;
	 * `customerId` is the `customerid` in the body of a create.
	 */
	match?: { operationId?: string; conversationId?: string; customerId?: string };
	action: FaultAction;
	/** How often the rule still applies; counted down in place. Left out: always. */
	times?: number;
	/** From 0 to 1, default 1. The dice are the same in every run. */
	probability?: number;
}

/** Ways in which a list can be odd, for tests of whoever reads it: `/conversations` and `/messages` alike. */
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

/** Who the app is in Dataverse, and how large its pages are. */
export interface DataverseSettings {
	/** False: nobody has made an application user for the app, which is answered 403. */
	applicationUser: boolean;
	/** What the application user may do. `none`: it has no role at all. */
	role: 'full' | 'readOnly' | 'none';
	/** The largest page; also what is given to who asks for none. Documented: 5000. */
	maxPageSize: number;
}

/** Ways in which a list of Azure Communication Services can be odd, for tests of whoever reads it. */
export interface CommunicationListSettings {
	/** Every `nextLink` leads to another origin, where no credentials must be sent. */
	foreignNextLink?: boolean;
	/** Without an end: every page's `nextLink` leads to the same page again. */
	sameLink?: boolean;
	/** Between two pages there is one without entries, after which the list goes on. */
	emptyPages?: boolean;
	/** The entries of `/conversations` say `conversationId` where the schema says `id`, as in one of Microsoft's examples. */
	idAsConversationId?: boolean;
}

/** Whom Azure Communication Services lets in, and what its lists are like. */
export interface CommunicationSettings {
	/** The kind of authentication that is answered 403, as for lack of a role; null for none. */
	refuse: 'accessKey' | 'userToken' | 'entra' | null;
	/** The largest page; also what is given to who asks for none. Not documented. */
	maxPageSize: number;
	lists: CommunicationListSettings;
}

/** What can be changed while the emulator runs; it takes effect with the next request or delivery. */
export interface Settings {
	/** How long `/context` stays empty after the start of a conversation, milliseconds. */
	contextLagMs: number;
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
	/** The largest embedded file that the organisation allows. */
	maxAttachmentBytes: number;
	lists: ListSettings;
	dataverse: DataverseSettings;
	communication: CommunicationSettings;
	/** True: Entra trusts every new federated subject at once, as if its administrator were very quick. */
	federationFollows: boolean;
	/** How far the clock of all answers, i.e. their `Date`, is ahead of this machine's. */
	clockSkewMs: number;
}

/** Settings with Microsoft's documented values, and nothing that goes wrong; a fresh object, as every emulator changes its own. */
export const defaultSettings = (): Settings => ({
	contextLagMs: 500,
	delivery: {
		tries: 3,
		timeoutMs: 10_000,
		retryDelayMs: 1_000,
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
	maxAttachmentBytes: 5 * 1024 * 1024,
	lists: {},
	dataverse: { applicationUser: true, role: 'full', maxPageSize: 5_000 },
	communication: { refuse: null, maxPageSize: 100, lists: {} },
	federationFollows: true,
	clockSkewMs: 0,
});

/** Dice that fall the same way in every run (mulberry32), so that a test with a probability is repeatable. */
export function seededRandom(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}

/** What a fault rule looks at. */
export interface FaultTarget {
	operationId: string | null;
	conversationId?: string;
	customerId?: string;
	/** Whether it brings a token or asks for one: only then can tokens go bad under it. */
	hasToken: boolean;
}

/**
 * The fault for a request, if there is one. Counts the rule's `times` down.
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
			(probability >= 1 || random() < probability),
	);
	if (rule?.times !== undefined) rule.times -= 1;
	return rule?.action;
}
