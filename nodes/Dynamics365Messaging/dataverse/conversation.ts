import { readKey, textOf, type Json } from '../../shared/json';
import { ServiceError } from '../../shared/transport/errors';
import type { ReadRequest } from '../../shared/transport/request';
import { LABEL, rowRequest, rowsRequest, TABLES, WITH_LABELS } from './requests';

/** The columns that are read. Source: docs/service-facts.md#conversation-record. */
const COLUMNS = [
	'activityid',
	'subject',
	'statuscode',
	'msdyn_startedon',
	'msdyn_closedon',
	'_msdyn_customer_value',
	'_msdyn_activeagentid_value',
	'_msdyn_cdsqueueid_value',
	'_msdyn_liveworkstreamid_value',
	'_regardingobjectid_value',
	'msdyn_customersentimentlabel',
	'msdyn_transfercount',
] as const;

/** A conversation's record. What it does not have is null. Times are ISO 8601 in UTC, IDs are in lower case. */
export interface ConversationRecord {
	conversationId: string;
	/** As the service words it. */
	status: string | null;
	subject: string | null;
	startedAt: string | null;
	closedAt: string | null;
	customerId: string | null;
	customerName: string | null;
	representativeId: string | null;
	representativeName: string | null;
	queueId: string | null;
	queueName: string | null;
	workstreamId: string | null;
	workstreamName: string | null;
	/** What it is regarding, which is the linked case. */
	caseId: string | null;
	caseName: string | null;
	/** As the service words it. */
	sentiment: string | null;
	transfers: number | null;
}

/** The request that reads a conversation's record. @param conversationId a GUID. */
export function conversationRequest(conversationId: string): ReadRequest {
	return rowRequest(TABLES.conversations, conversationId, COLUMNS, WITH_LABELS);
}

/**
 * The request that reads at once who the customers of some conversations are, and how the conversations stand.
 * Source: docs/service-facts.md#conversation-record.
 * @param conversationIds GUIDs; a hundred of them make a URL of about 4,000 characters.
 */
export function conversationsRequest(conversationIds: string[]): ReadRequest {
	const values = conversationIds.map((id) => `'${id}'`).join(',');
	return rowsRequest(TABLES.conversations, ['activityid', 'subject', 'statuscode', '_msdyn_customer_value'], {
		filter: `Microsoft.Dynamics.CRM.In(PropertyName='activityid',PropertyValues=[${values}])`,
		prefer: WITH_LABELS,
	});
}

/**
 * Reads a conversation's row. Pure.
 * @throws ServiceError where the answer is not a row, so that it does not pass for an empty one.
 */
export function readConversation(row: Json): ConversationRecord {
	const id = (column: string) => textOf(readKey(row, column))?.toLowerCase() ?? null;
	const text = (column: string) => textOf(readKey(row, column));
	const label = (column: string) => text(`${column}${LABEL}`);
	const conversationId = id('activityid');
	if (conversationId === null) {
		throw new ServiceError({
			message: 'Dataverse did not answer with a conversation’s record',
			description: 'Check Environment URL in the credential.',
		});
	}
	const transfers = readKey(row, 'msdyn_transfercount');
	return {
		conversationId,
		status: label('statuscode'),
		subject: text('subject'),
		startedAt: text('msdyn_startedon'),
		closedAt: text('msdyn_closedon'),
		customerId: id('_msdyn_customer_value'),
		customerName: label('_msdyn_customer_value'),
		representativeId: id('_msdyn_activeagentid_value'),
		representativeName: label('_msdyn_activeagentid_value'),
		queueId: id('_msdyn_cdsqueueid_value'),
		queueName: label('_msdyn_cdsqueueid_value'),
		workstreamId: id('_msdyn_liveworkstreamid_value'),
		workstreamName: label('_msdyn_liveworkstreamid_value'),
		caseId: id('_regardingobjectid_value'),
		caseName: label('_regardingobjectid_value'),
		sentiment: label('msdyn_customersentimentlabel'),
		transfers: typeof transfers === 'number' ? transfers : null,
	};
}

/**
 * The address that opens a conversation in Dynamics. Source: docs/service-facts.md#conversation-record.
 * @param environmentUrl the environment's origin.
 */
export function conversationUrl(environmentUrl: string, conversationId: string): string {
	const url = new URL('/main.aspx', environmentUrl);
	url.search = new URLSearchParams({
		pagetype: 'entityrecord',
		etn: 'msdyn_ocliveworkitem',
		id: conversationId,
	}).toString();
	return url.href;
}
