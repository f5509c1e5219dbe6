/** What a conversation event means to those who react to it. */
export type EventCategory =
	'agentJoined' | 'agentLeft' | 'consult' | 'transfer' | 'closed' | 'customer' | 'outOfHours' | 'other';

/**
 * The service's event names, each with its category and what it means, without a full stop: the documented list, those of an
 * older one, and AgentClosed and ConversationClosed, which only its samples show.
 * Source: docs/service-facts.md#event-names.
 */
const EVENTS: Record<string, readonly [EventCategory, string]> = {
	AgentAccepted: ['agentJoined', 'A representative joined'],
	AgentAssigned: ['agentJoined', 'A representative was assigned'],
	AgentJoinedCustomerConversation: ['agentJoined', 'A representative joined'],
	AgentJoinedConversation: ['agentJoined', 'A representative joined (older name)'],
	AgentEndSession: ['agentLeft', 'A representative left; the conversation may go on'],
	AgentEndedSession: ['agentLeft', 'A representative left; the conversation may go on (older name)'],
	AgentDisconnected: ['agentLeft', 'A representative lost the connection'],
	AgentClosed: ['agentLeft', 'A representative closed the tab; the conversation may go on'],
	AgentEndedConsult: ['consult', 'A consultation was ended'],
	ConsultAgentInitiated: ['consult', 'A representative asked another one for advice'],
	ConsultAgentFailed: ['consult', 'No representative could be asked for advice'],
	ConsultAgentAcceptSession: ['consult', 'The consulted representative joined'],
	ConsultAgentEndSession: ['consult', 'The consulted representative left'],
	ConsultAgentRejectSession: ['consult', 'The consulted representative declined'],
	ConsultAgentSessionTimedOut: ['consult', 'The consulted representative did not answer'],
	ConsultAgentRemoved: ['consult', 'The consulted representative was removed'],
	ConsultAgentLeftPublicConversation: [
		'consult',
		'The consulted representative left the conversation with the customer',
	],
	TransferToAgentInitiated: ['transfer', 'A transfer to another representative began'],
	TransferToAgentFailed: ['transfer', 'A transfer to another representative failed'],
	TransferAgentAcceptSession: ['transfer', 'The next representative accepted the transfer'],
	TransferAgentRejectSession: ['transfer', 'The next representative declined the transfer'],
	TransferAgentTimedOutSession: ['transfer', 'The next representative did not answer'],
	AgentTransferAcceptedSession: ['transfer', 'The next representative accepted the transfer (older name)'],
	AgentTransferFailed: ['transfer', 'A transfer to another representative failed (older name)'],
	QueueTransferFailed: ['transfer', 'A transfer to another queue failed (older name)'],
	TransferToQueueInitiated: ['transfer', 'A transfer to another queue began'],
	TransferToQueueFailed: ['transfer', 'A transfer to another queue failed'],
	PrimaryAgentEndConversation: ['closed', 'The representative ended the conversation'],
	ConversationClose: ['closed', 'The conversation was closed'],
	ConversationClosed: ['closed', 'The conversation was closed'],
	SupervisorForceClosedConversation: ['closed', 'A supervisor closed the conversation'],
	CustomerDisconnected: ['customer', 'The customer left'],
	CustomerDisconnectedAgentWaiting: ['customer', 'The customer left while a representative waits'],
	OutOfOperatingHoursDueToNonWorkingHours: ['outOfHours', 'It is outside of the working hours'],
	OutOfOperatingHoursDueToHoliday: ['outOfHours', 'It is a holiday'],
	AgentStartSecondaryChannel: ['other', 'A representative started a second channel'],
	AgentRaiseSecondaryChannel: ['other', 'A representative offered a second channel'],
	AgentEndSecondaryChannel: ['other', 'A representative ended the second channel'],
};

const BY_LOWER_CASE = new Map(
	Object.entries(EVENTS).map(([name, [category]]) => [name.toLowerCase(), category]),
);

/** The service's events by name, in alphabetical order, and what each means. */
export const KNOWN_EVENTS: ReadonlyArray<{ name: string; meaning: string }> = Object.entries(EVENTS)
	.map(([name, [, meaning]]) => ({ name, meaning }))
	.sort((one, other) => (one.name < other.name ? -1 : 1));

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
