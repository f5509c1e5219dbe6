import type {
	AvailabilityBeforeConversation,
	AvailabilityForConversation,
} from '../../../emulator/dataverse/contract';
import { isoTimeOf } from '../../shared/isoTime';
import { nonEmptyText, readKey, type Json } from '../../shared/json';
import { ServiceError } from '../../shared/transport/errors';
import { FOREIGN_PAGE } from '../../shared/transport/responseErrors';
import { readEntries } from '../../shared/transport/pagination';
import type { QueryRequest, ReadRequest } from '../../shared/transport/request';
import { NO_RECORD } from './errors';
import { queryRequest } from './requests';

/** The role that the actions need. Source: docs/service-facts.md#availability-actions. */
export const AVAILABILITY_ROLE = 'Omnichannel administrator';

const VERSION = '1.0';
/** The types of context items. Source: docs/service-facts.md#availability-actions. */
const TEXT = 192350000;
const INTEGER = 192350001;

/** How available representatives are. */
export interface Availability {
	/** Whether the queue is within its operating hours. */
	isQueueAvailable: boolean;
	/** Whether somebody is free; an AI agent on the queue counts. Null where the answer does not say. */
	isRepresentativeAvailable: boolean | null;
	representativesAvailable: number | null;
	/** From 1. */
	positionInQueue: number | null;
	averageWaitSeconds: number | null;
	/** When a closed queue opens next, ISO 8601 in UTC; null while it is open, and where it is not known. */
	opensAt: string | null;
	/** When an open queue closes, ISO 8601 in UTC; null while it is closed, and where it never closes. */
	closesAt: string | null;
	queueId: string | null;
}

/** A context variable, by its name. */
type Variables = Record<string, { isDisplayable?: boolean; value: string | number | boolean }>;

/** The text of JSON that the actions take context variables in; undefined for none. Pure. */
function contextItems(variables: Variables | undefined): string | undefined {
	if (variables === undefined) return undefined;
	const items = Object.entries(variables).map(([name, { isDisplayable = true, value }]) => {
		const datatype = Number.isSafeInteger(value) ? INTEGER : TEXT;
		return [name, { value: String(value), isDisplayable, datatype }] as const;
	});
	return JSON.stringify(Object.fromEntries(items));
}

/**
 * The request that asks how available those are who would get a new conversation of a workstream.
 * @param workstreamId a GUID.
 * @param context what routing rules may look at: context variables, and the channel's engagement context.
 */
export function availabilityBeforeRequest(
	workstreamId: string,
	context: { variables?: Variables; engagement?: Record<string, unknown> } = {},
): QueryRequest<AvailabilityBeforeConversation> {
	const items = contextItems(context.variables);
	return queryRequest('CCaaS_GetRepresentativeAvailabilityBeforeConversation', {
		ApiVersion: VERSION,
		LiveWorkStreamId: workstreamId,
		...(items !== undefined && { CustomContextItems: items }),
		...(context.engagement && { ChannelEngagementContext: JSON.stringify(context.engagement) }),
	});
}

/** The request that asks the same for a conversation that is there. @param conversationId a GUID. */
export function availabilityForRequest(conversationId: string): QueryRequest<AvailabilityForConversation> {
	return queryRequest('CCaaS_GetRepresentativeAvailabilityForConversation', {
		ApiVersion: VERSION,
		ConversationId: conversationId,
	});
}

function flagOf(value: unknown): boolean | null {
	if (typeof value === 'boolean') return value;
	const word = typeof value === 'string' ? value.toLowerCase() : '';
	return word === 'true' || word === 'false' ? word === 'true' : null;
}

/** Reads a number that cannot be below zero. */
function countOf(value: unknown): number | null {
	const text = nonEmptyText(value);
	const number = text === null ? NaN : Number(text);
	return Number.isFinite(number) && number >= 0 ? number : null;
}

/** A point in time: ISO 8601 in UTC, null for one of Microsoft's that stands for none, undefined where there is none. */
function timeOf(value: unknown): string | null | undefined {
	const time = isoTimeOf(value);
	if (time === null) return undefined;
	const year = new Date(time).getUTCFullYear();
	return year <= 1 || year >= 9999 ? null : time;
}

/**
 * Reads the answer to {@link availabilityBeforeRequest} and {@link availabilityForRequest}. Pure.
 * Source: docs/service-facts.md#availability-answer.
 * @throws ServiceError where it does not say whether the queue is open.
 */
export function readAvailability(answer: Json): Availability {
	const read = (key: string) => readKey(answer, key);
	const isQueueAvailable = flagOf(read('IsQueueAvailable'));
	if (isQueueAvailable === null) {
		throw new ServiceError({
			message: 'Dataverse did not answer with an availability',
			description: 'Check Environment URL in the credential, and that Contact Center is up to date there.',
		});
	}
	const next = timeOf(read('NextTransitionTime'));
	const start = timeOf(read('StartTimeOfNextOperatingHour'));
	const end = timeOf(read('EndTimeOfNextOperatingHour'));
	const minutes = countOf(read('AverageWaitTime'));
	const seconds = countOf(read('AverageWaitTimeInSeconds'));
	return {
		isQueueAvailable,
		isRepresentativeAvailable: flagOf(read('IsAgentAvailable')),
		representativesAvailable: countOf(read('NumberOfExpertsAvailableInQueue')),
		positionInQueue: countOf(read('PositionInQueue')),
		averageWaitSeconds: seconds ?? (minutes === null ? null : Math.round(minutes * 60)),
		opensAt: isQueueAvailable ? null : (start ?? next ?? null),
		// A queue that never closes says so by its next transition, which is null then.
		closesAt: isQueueAvailable ? (next === undefined ? (end ?? null) : next) : null,
		queueId: nonEmptyText(read('QueueId'))?.toLowerCase() ?? null,
	};
}

/** What is not to be found, for an error about an availability. */
type Asked = 'conversation' | 'workstream';

const NOT_FOUND: Record<Asked, { message: string; description: string }> = {
	conversation: {
		message: 'Dataverse has no such conversation, or it is closed',
		description:
			'Check Conversation, and that Environment URL in the credential is the right environment. A new conversation can take a moment.',
	},
	workstream: {
		message: 'Dataverse has no such workstream',
		description:
			'Choose Workstream from the list, and check that Environment URL in the credential is the right environment.',
	},
};

/** The code of a missing application user, whose own words are the right ones. */
const NO_USER = '0x80072560';

/** Words the error of a request about an availability: what is not there, and which role is missing. Pure. */
export function explainAvailabilityError(error: unknown, asked: Asked): unknown {
	if (!(error instanceof ServiceError)) return error;
	if (error.code === NO_RECORD) return error.with(NOT_FOUND[asked]);
	// A page is of a proxy, which knows no roles.
	if (error.httpCode !== 403 || error.code === NO_USER || error.code === FOREIGN_PAGE) return error;
	return error.with({
		message: `The app may not ask for availability: it needs the role ${AVAILABILITY_ROLE}`,
		description: `Give the application user the role ${AVAILABILITY_ROLE}: Power Platform admin center, the environment, Settings, Users + permissions, Application users. ${error.description}`,
	});
}

/** The request for a user's own roles. @param userId a GUID. Source: docs/service-facts.md#user-roles. */
export function rolesRequest(userId: string): ReadRequest {
	return {
		method: 'GET',
		path: `/systemusers(${userId})/systemuserroles_association`,
		query: { $select: 'name' },
	};
}

/** Reads the names of the roles in the answer to {@link rolesRequest}. Pure. @throws ServiceError where it is no list. */
export function readRoles(answer: Json): string[] {
	return readEntries(answer, 'value').map((role) => nonEmptyText(readKey(role, 'name'))?.trim() ?? '');
}
