/** What a conversation event means to those who react to it. */
export type EventCategory =
	'agentJoined' | 'agentLeft' | 'consult' | 'transfer' | 'closed' | 'customer' | 'outOfHours' | 'other';

/**
 * The service's event names: the documented list, those of an older one, and AgentClosed and ConversationClosed, which only
 * its samples show.
 * Source: docs/service-facts.md#event-names.
 */
const CATEGORIES: Record<string, EventCategory> = {
	AgentAccepted: 'agentJoined',
	AgentAssigned: 'agentJoined',
	AgentJoinedCustomerConversation: 'agentJoined',
	AgentJoinedConversation: 'agentJoined',
	AgentEndSession: 'agentLeft',
	AgentEndedSession: 'agentLeft',
	AgentDisconnected: 'agentLeft',
	AgentClosed: 'agentLeft',
	AgentEndedConsult: 'consult',
	ConsultAgentInitiated: 'consult',
	ConsultAgentFailed: 'consult',
	ConsultAgentAcceptSession: 'consult',
	ConsultAgentEndSession: 'consult',
	ConsultAgentRejectSession: 'consult',
	ConsultAgentSessionTimedOut: 'consult',
	ConsultAgentRemoved: 'consult',
	ConsultAgentLeftPublicConversation: 'consult',
	TransferToAgentInitiated: 'transfer',
	TransferToAgentFailed: 'transfer',
	TransferAgentAcceptSession: 'transfer',
	TransferAgentRejectSession: 'transfer',
	TransferAgentTimedOutSession: 'transfer',
	AgentTransferAcceptedSession: 'transfer',
	AgentTransferFailed: 'transfer',
	QueueTransferFailed: 'transfer',
	TransferToQueueInitiated: 'transfer',
	TransferToQueueFailed: 'transfer',
	PrimaryAgentEndConversation: 'closed',
	ConversationClose: 'closed',
	ConversationClosed: 'closed',
	SupervisorForceClosedConversation: 'closed',
	CustomerDisconnected: 'customer',
	CustomerDisconnectedAgentWaiting: 'customer',
	OutOfOperatingHoursDueToNonWorkingHours: 'outOfHours',
	OutOfOperatingHoursDueToHoliday: 'outOfHours',
	AgentStartSecondaryChannel: 'other',
	AgentRaiseSecondaryChannel: 'other',
	AgentEndSecondaryChannel: 'other',
};

const BY_LOWER_CASE = new Map(
	Object.entries(CATEGORIES).map(([name, category]) => [name.toLowerCase(), category]),
);

/** The names of the service's events, in alphabetical order. */
export const KNOWN_EVENTS: readonly string[] = Object.keys(CATEGORIES).sort();

/** Whether a name is one of the service's event names, whatever its casing. */
export function isKnownEvent(name: string): boolean {
	return BY_LOWER_CASE.has(name.toLowerCase());
}

/** The category of an event, whatever its casing; `other` for an unknown name. */
export function categoryOf(name: string): EventCategory {
	return BY_LOWER_CASE.get(name.toLowerCase()) ?? 'other';
}

/**
 * Whether an event surely ends the customer's conversation, as the category `closed` does. When a representative leaves,
 * the conversation may still wait. Source: docs/service-facts.md#conversation-states.
 */
export function endsConversation(name: string): boolean {
	return categoryOf(name) === 'closed';
}
