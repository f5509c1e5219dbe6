import { EVENT_TYPES, type EventType, type TriggerItem } from './items';

/** Which items start the workflow. */
export interface Filter {
	/** The event types. */
	events: readonly string[];
	/** Restricts conversation events to these names, in lower case; undefined for all. */
	eventNames: readonly string[] | undefined;
	/** Restricts all event types to these conversations, in lower case; undefined for all. An empty list lets nothing through. */
	conversationIds: readonly string[] | undefined;
}

/**
 * Reads a list that a person typed (separated by commas, semicolons or lines) or that an expression gave.
 * @returns the entries in lower case; empty for any other value, so that a restriction fails closed.
 */
export function listOf(value: unknown): string[] {
	const entries = Array.isArray(value) ? value : typeof value === 'string' ? value.split(/[,;\n]/) : [value];
	return entries
		.filter((entry) => typeof entry === 'string' || typeof entry === 'number')
		.map((entry) => String(entry).trim().toLowerCase())
		.filter((entry) => entry !== '');
}

/** Whether an item starts the workflow. */
export function passes(item: TriggerItem, { events, eventNames, conversationIds }: Filter): boolean {
	if (!events.includes(item.eventType)) return false;
	if (conversationIds && !conversationIds.includes(item.conversationId.toLowerCase())) return false;
	if (eventNames && item.eventType === 'conversationEvent')
		return eventNames.includes(item.eventName.toLowerCase());
	return true;
}

/** The outputs of a trigger that has one for each chosen event type, in the order of `EVENT_TYPES`. */
export function outputsFor(events: readonly string[]): EventType[] {
	return EVENT_TYPES.filter((type) => events.includes(type));
}
