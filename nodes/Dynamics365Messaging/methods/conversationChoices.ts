import { isGuid } from '../../shared/entra/appCredential';
import { nonEmptyText, type Json } from '../../shared/json';
import { serviceErrorOf } from '../../shared/transport/errors';
import { readEntries } from '../../shared/transport/pagination';
import { Throttle } from '../../shared/transport/throttle';
import type { Connection } from '../connection';
import { dataverseClient } from '../dataverse/client';
import {
	conversationsRequest,
	conversationUrl,
	readConversation,
	type ConversationRecord,
} from '../dataverse/conversation';
import { conversationItem } from '../operations/conversation/getMany';
import { distinct, type Choice } from './choice';

/** What Dataverse knows of some conversations, by their IDs in lower case. */
export type ConversationRecords = ReadonlyMap<
	string,
	Pick<ConversationRecord, 'customerName' | 'subject' | 'status'>
>;

/** How long the names may take, milliseconds: a person waits for the list, which can do without them. */
const TIMEOUT_MS = 5_000;

/** A time as people say it, such as `29 Nov 14:05`; undefined for what is no time. Pure. */
function localTime(timestamp: string | null, timezone: string): string | undefined {
	const time = Date.parse(timestamp ?? '');
	if (Number.isNaN(time)) return undefined;
	const parts = new Intl.DateTimeFormat('en-US', {
		timeZone: timezone,
		day: 'numeric',
		month: 'short',
		hour: '2-digit',
		minute: '2-digit',
		hourCycle: 'h23',
	}).formatToParts(time);
	const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((one) => one.type === type)?.value ?? '';
	return `${part('day')} ${part('month')} ${part('hour')}:${part('minute')}`;
}

/**
 * Makes the entries of the drop-down of conversations, such as `Kim Berger · 29 Nov 14:05 · active`. Where no name is known,
 * the ID is in them, and as {@link distinct} says. Pure.
 * @param entries of the list of the Messaging API.
 * @param timezone IANA name of the zone of the times.
 * @param environmentUrl the environment's origin, for links to the conversations; undefined where it is not known.
 */
export function conversationChoices(
	entries: Json[],
	records: ConversationRecords,
	timezone: string,
	environmentUrl?: string,
): Choice[] {
	const choices = entries.map((entry): Choice => {
		const { conversationId, timestamp } = conversationItem(entry);
		const { customerName, subject, status } = records.get(conversationId.toLowerCase()) ?? {};
		const name = nonEmptyText(customerName) ?? nonEmptyText(subject);
		const words = [
			name,
			localTime(timestamp, timezone),
			nonEmptyText(status)?.toLowerCase(),
			name === null ? conversationId : null,
		];
		return {
			name: words
				.map((word) => word ?? '')
				.filter((word) => word !== '')
				.join(' · '),
			value: conversationId,
			...(environmentUrl !== undefined && { url: conversationUrl(environmentUrl, conversationId) }),
		};
	});
	return distinct(choices);
}

/** Reads the records of some conversations. @param ids GUIDs in lower case. @throws ServiceError */
async function readRecords(connection: Connection, ids: string[]): Promise<ConversationRecords> {
	const client = dataverseClient(connection, new Throttle(0, undefined, TIMEOUT_MS));
	const { json } = await client.call(conversationsRequest(ids));
	return new Map(
		readEntries(json, 'value').map((row) => {
			const record = readConversation(row);
			return [record.conversationId, record];
		}),
	);
}

/**
 * Makes a function that asks Dataverse for the records of some conversations, in one call. Where there is no Environment URL
 * it asks nothing, and once a call has failed, nothing more: the list must not depend on it.
 */
export function recordReader(connection: Connection): (entries: Json[]) => Promise<ConversationRecords> {
	let isOfUse = connection.environmentUrl !== undefined;
	return async (entries) => {
		const ids = entries.map((entry) => conversationItem(entry).conversationId.toLowerCase()).filter(isGuid);
		if (!isOfUse || ids.length === 0) return new Map();
		return await readRecords(connection, ids).catch((error: unknown) => {
			serviceErrorOf(error);
			isOfUse = false;
			return new Map();
		});
	};
}
