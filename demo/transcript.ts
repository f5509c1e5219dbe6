import { isDeepStrictEqual } from 'node:util';
import type { DataverseEntry, DeliveryEntry, DeskEntry, LogEntry, RequestEntry } from '../emulator';
import type { CustomerMessage, Sent } from './customer';
import type { Execution, NodeRun } from '../tools/n8n/executions';
import { type TriggerItem, triggerItem } from './play';
import { type Column, paint, row } from './terminal';

/** The nodes of demo/workflows whose runs are printed. */
export const nodes = {
	customerWrites: 'Customer writes',
	say: 'Say what the customer says',
	trigger: 'From Dynamics 365',
	readMessages: 'Read the messages',
	readContext: 'Read the context',
	readTranscript: 'Read the transcript',
	goodbye: 'Say goodbye',
} as const;

/** The evidence about the conversation, read from n8n and from the emulator. */
export interface Evidence {
	executions: Execution[];
	log: readonly LogEntry[];
}

interface Line {
	/** Epoch milliseconds. */
	at: number;
	who: string;
	what: string;
	/** Its way; `n8n #2` is execution 2. */
	seen: string;
	/** The receiver's answer. */
	answer?: string;
}

/** A fact that must be seen in n8n's executions, with the place where it was seen; undefined if it was not. */
export interface Check {
	what: string;
	seen: string | undefined;
}

/** The columns for a terminal of `total` characters. The text gets all the space that the others leave. */
function columnsFor(total: number): Column[] {
	const [time, who, seen, answered, gaps] = [8, 10, total < 100 ? 18 : 23, 11, 10];
	return [
		{ width: time, paint: (cell) => paint('dim', cell) },
		{ width: who, paint: (cell) => paint('bold', cell) },
		{ width: total - time - who - seen - answered - gaps },
		{ width: seen, paint: (cell) => paint('cyan', cell) },
		{ width: answered, paint: (cell) => paint('dim', cell) },
	];
}

/** The conversation, line by line, as n8n's executions and the emulator's log have it. */
export function transcript(evidence: Evidence): string {
	const columns = columnsFor(Math.min(Math.max(process.stdout.columns || 100, 80), 120));
	const lines = [
		...customerLines(evidence),
		...deliveryLines(evidence),
		...readingLines(evidence),
		...endLines(evidence),
	];
	lines.sort((one, other) => one.at - other.at);
	const head = row(
		columns.map(({ width }) => ({ width, paint: (cell) => paint('dim', cell) })),
		['time', 'who', 'what', 'seen in (#: execution)', 'answered'],
	);
	const body = lines.map(({ at, who, what, seen, answer = '' }) =>
		row(columns, [clock(at), who, what, seen, answer]),
	);
	return [head, ...body].join('\n');
}

const clock = (at: number) => new Date(at).toTimeString().slice(0, 8);
const runOf = ({ runs }: Execution, node: string): NodeRun | undefined =>
	runs.find((run) => run.node === node);
const quoted = (text: string) => `“${text}”`;

/** The executions that messages of the customer started, with those messages. */
function said({
	executions,
}: Evidence): Array<{ execution: Execution; at: number; message: CustomerMessage }> {
	return executions.flatMap((execution) => {
		const run = runOf(execution, nodes.customerWrites);
		const message = run?.items[0]?.body as CustomerMessage | undefined;
		return run && message ? [{ execution, at: run.startedAt, message }] : [];
	});
}

/** How to recognise a node's call in the emulator's log. */
interface Call {
	operationId: string;
	/** Undefined when the node failed before it knew the id. */
	conversationId: string | undefined;
}

/** Whether something was logged while a node ran. Both times are of this machine's clock, but n8n stores whole milliseconds. */
function isDuring(run: NodeRun, { at }: LogEntry): boolean {
	const logged = Date.parse(at);
	return logged >= run.startedAt - 1 && logged <= run.startedAt + run.ms + 1;
}

/** The calls that the emulator got from a node of n8n: of its kind, for its conversation, while it ran. */
function requestsOf(
	{ log }: Evidence,
	run: NodeRun | undefined,
	{ operationId, conversationId }: Call,
): RequestEntry[] {
	if (!run) return [];
	return log.filter(
		(entry): entry is RequestEntry =>
			entry.kind === 'request' &&
			entry.operationId === operationId &&
			(conversationId === undefined || entry.conversationId === conversationId) &&
			isDuring(run, entry),
	);
}

/** The calls with which a node read a transcript, while it ran. */
function transcriptRequests({ log }: Evidence, run: NodeRun): DataverseEntry[] {
	const isOne = /^dataverse\.(getConversation|listTranscripts|listNotes)$/;
	return log.filter(
		(entry): entry is DataverseEntry =>
			entry.kind === 'dataverse' && isOne.test(entry.operationId ?? '') && isDuring(run, entry),
	);
}

/** The calls with which an execution sent the customer's message, and started the conversation when there was none. */
function callsOfCustomer(evidence: Evidence, execution: Execution): RequestEntry[] {
	const run = runOf(execution, nodes.say);
	const conversationId = (run?.items[0] as Partial<Sent> | undefined)?.conversationId;
	return ['createConversation', 'sendActivity'].flatMap((operationId) =>
		requestsOf(evidence, run, { operationId, conversationId }),
	);
}

const statuses = (requests: Array<{ status: number }>) =>
	[...new Set(requests.map(({ status }) => status))].join(', ') || 'none';

function customerLines(evidence: Evidence): Line[] {
	return said(evidence).map(({ execution, at, message }) => {
		const sent = runOf(execution, nodes.say)?.items[0] as Partial<Sent> | undefined;
		const started = sent?.isNew ? ', opened' : '';
		return {
			at,
			who: message.name,
			what: quoted(message.text),
			seen: `n8n #${execution.id} → Dynamics`,
			answer: `${statuses(callsOfCustomer(evidence, execution))}${started}`,
		};
	});
}

interface Arrived {
	delivery: DeliveryEntry;
	execution: Execution | undefined;
	item: TriggerItem | undefined;
}

/** Each delivery of the emulator, with the execution that it started. Both have exactly the same activity. */
function arrivals({ executions, log }: Evidence): Arrived[] {
	const unclaimed = new Set(executions);
	return log
		.filter((entry): entry is DeliveryEntry => entry.kind === 'delivery')
		.map((delivery) => {
			const execution = [...unclaimed].find((candidate) =>
				isDeepStrictEqual(triggerItem(candidate, nodes.trigger)?.activity, delivery.activity),
			);
			if (execution) unclaimed.delete(execution);
			return { delivery, execution, item: execution && triggerItem(execution, nodes.trigger) };
		});
}

function deliveryLines(evidence: Evidence): Line[] {
	return arrivals(evidence).map(({ delivery, execution, item }) => {
		const last = delivery.tries.at(-1);
		const shown = execution?.runs.some(({ items }) => typeof items[0]?.shown === 'string');
		return {
			at: Date.parse(last?.at ?? delivery.at),
			who: item?.from?.name ?? senderOf(evidence.log, delivery, item),
			what: item ? describe(item) : 'an activity that n8n did not get',
			seen: `Dynamics → ${execution ? `n8n #${execution.id}` : 'nowhere'}${shown ? ' → app' : ''}`,
			answer: last ? `${last.status ?? last.error}, ${last.ms} ms` : 'not sent',
		};
	});
}

/** Most activities name no person. The emulator's desk has who was in the conversation at that time. */
function senderOf(
	log: readonly LogEntry[],
	{ conversationId, seq }: DeliveryEntry,
	item: TriggerItem | undefined,
): string {
	if (item?.eventType === 'customEvent') return 'AI agent';
	const accepted = log.filter(
		(entry): entry is DeskEntry =>
			entry.kind === 'desk' &&
			entry.action === 'accept' &&
			entry.conversationId === conversationId &&
			entry.seq < seq,
	);
	return accepted.at(-1)?.detail ?? 'Dynamics';
}

function describe(item: TriggerItem): string {
	switch (item.eventType) {
		case 'message': {
			const files = (item.attachments ?? []).map(({ name, contentType }) => `[${name}, ${contentType}]`);
			return [item.text && quoted(item.text), ...files].filter(Boolean).join(' ');
		}
		case 'typing':
			return 'is typing …';
		case 'conversationEvent': {
			const meaning = { agentJoined: 'joins', agentLeft: 'leaves', closed: 'conversation is over' }[
				item.eventCategory ?? ''
			];
			return `${meaning ?? item.eventCategory} (${item.eventName})`;
		}
		case 'customEvent':
			return `event ${item.customEventName} ${JSON.stringify(item.customEventValue)}`;
		default:
			return `an activity of another type (${item.eventType})`;
	}
}

/** What the workflow read while the conversation was active. */
function readingLines(evidence: Evidence): Line[] {
	return evidence.executions.flatMap((execution): Line[] => {
		const [read, context] = [nodes.readMessages, nodes.readContext].map((node) => runOf(execution, node));
		if (!read) return [];
		const conversationId = triggerItem(execution, nodes.trigger)?.conversationId;
		const calls = [
			...requestsOf(evidence, read, { operationId: 'listMessages', conversationId }),
			...requestsOf(evidence, context, { operationId: 'getContext', conversationId }),
		];
		const said = counted(messagesIn(read).length, 'message');
		return [
			{
				at: read.startedAt,
				who: 'n8n',
				what: `reads the messages so far (${said}) and the context (${contextNames(context).join(', ')})`,
				seen: `n8n #${execution.id} → Dynamics`,
				answer: statuses(calls),
			},
		];
	});
}

/** The transcript, which is there some time after the close, and what the customer is told of it. */
function endLines(evidence: Evidence): Line[] {
	return evidence.executions.flatMap((execution): Line[] => {
		const [read, goodbye] = [nodes.readTranscript, nodes.goodbye].map((node) => runOf(execution, node));
		if (!read) return [];
		const messages = messagesIn(read);
		const names = messages.map(speakerIn);
		const speakers = [...new Set(names)].map((name) => `${count(names, (one) => one === name)} of ${name}`);
		const lines: Line[] = [
			{
				at: read.startedAt + read.ms,
				who: 'n8n',
				what: `gets the transcript after ${(read.ms / 1000).toFixed(1)} s: ${counted(messages.length, 'message')} (${speakers.join(', ')})`,
				seen: `n8n #${execution.id} → Dataverse`,
				answer: statuses(transcriptRequests(evidence, read)),
			},
		];
		const shown = goodbye?.items[0]?.shown;
		if (goodbye && typeof shown === 'string') {
			const seen = `n8n #${execution.id} → app`;
			lines.push({ at: goodbye.startedAt, who: 'n8n', what: quoted(shown), seen });
		}
		return lines;
	});
}

const counted = (number: number, what: string) => `${number} ${what}${number === 1 ? '' : 's'}`;

/** The messages that a node read; a node that found none has one item without any. */
const messagesIn = (run: NodeRun | undefined) => (run?.items ?? []).filter(({ messageId }) => messageId);

/** The name of who said a message that a node read. */
const speakerIn = ({ from }: Record<string, unknown>) =>
	typeof from === 'object' && from !== null && 'name' in from ? String(from.name) : '';

/** The names of the context variables that a node read. */
function contextNames(run: NodeRun | undefined): string[] {
	const context = run?.items[0]?.context;
	return typeof context === 'object' && context !== null ? Object.keys(context) : [];
}

/** Whether a transcript has all words that were seen in the conversation, each of whom said it. */
function hasAllWords(read: NodeRun | undefined, evidence: Evidence): boolean {
	const words = [
		...said(evidence).map(({ message }) => ({ from: message.name, text: message.text })),
		...arrivals(evidence).flatMap(({ delivery, item }) =>
			item?.eventType === 'message'
				? [{ from: senderOf(evidence.log, delivery, item), text: item.text ?? '' }]
				: [],
		),
	];
	const identity = ({ from, text }: { from?: unknown; text?: unknown }) => JSON.stringify([from, text]);
	const inTranscript = messagesIn(read).map((message) => ({ from: speakerIn(message), text: message.text }));
	const [spoken, written] = [words, inTranscript].map((list) => list.map(identity).sort());
	return words.length > 0 && isDeepStrictEqual(spoken, written);
}

/** The checks for a finished conversation. */
export function checks(evidence: Evidence): Check[] {
	const { executions } = evidence;
	const arrived = arrivals(evidence);
	const customers = said(evidence);
	const seenIn = (execution: Execution | undefined) => execution && `execution ${execution.id}`;
	const item = (what: string, matches: (item: TriggerItem) => boolean): Check => ({
		what,
		seen: seenIn(arrived.find((one) => one.item && matches(one.item))?.execution),
	});
	const all = (what: string, total: number, good: number): Check => ({
		what,
		seen: total > 0 && good === total ? `${good} of ${total}` : undefined,
	});
	// The emulator's log has the ID of the message that a call stored.
	const isDelivered = (execution: Execution) => {
		const messageId = runOf(execution, nodes.say)?.items[0]?.messageId;
		return (
			Boolean(messageId) && callsOfCustomer(evidence, execution).some((call) => call.messageId === messageId)
		);
	};
	return [
		{
			what: 'conversation created',
			seen: seenIn(executions.find((one) => runOf(one, nodes.say)?.items[0]?.isNew === true)),
		},
		all(
			"customer's messages delivered to Dynamics",
			customers.length,
			count(customers, (one) => isDelivered(one.execution)),
		),
		item(
			'representative joined (AgentAccepted)',
			({ eventName, eventCategory }) => eventName === 'AgentAccepted' && eventCategory === 'agentJoined',
		),
		item('typing', ({ eventType }) => eventType === 'typing'),
		item(
			'message with an attachment',
			({ eventType, text, attachments }) =>
				eventType === 'message' && Boolean(text) && Boolean(attachments?.[0]?.contentUrl),
		),
		item(
			'custom event with a parsed value',
			({ eventType, customEventValue }) =>
				eventType === 'customEvent' && typeof customEventValue === 'object' && customEventValue !== null,
		),
		item('conversation ended', ({ conversationEnded }) => conversationEnded === true),
		{
			what: 'messages and context read while active',
			seen: seenIn(
				executions.find(
					(one) =>
						messagesIn(runOf(one, nodes.readMessages)).length > 0 &&
						contextNames(runOf(one, nodes.readContext)).length > 0,
				),
			),
		},
		{
			what: 'transcript with all messages, after the end',
			seen: seenIn(executions.find((one) => hasAllWords(runOf(one, nodes.readTranscript), evidence))),
		},
		all(
			'deliveries answered 200 at the first try',
			arrived.length,
			count(arrived, ({ delivery }) => delivery.tries.length === 1 && delivery.tries[0]?.status === 200),
		),
		all(
			'deliveries with exactly one execution',
			arrived.length,
			triggered(executions) === arrived.length
				? count(arrived, ({ execution }) => execution !== undefined)
				: -1,
		),
		all(
			'executions without an error',
			executions.length,
			count(executions, ({ status, runs }) => status === 'success' && runs.every(({ error }) => !error)),
		),
	];
}

const count = <T>(list: T[], matches: (entry: T) => boolean): number => list.filter(matches).length;
const triggered = (executions: Execution[]) =>
	count(executions, (one) => runOf(one, nodes.trigger) !== undefined);

/** The check list, for reading. */
export function checkList(list: Check[]): string {
	return list
		.map(({ what, seen }) => {
			const mark = seen ? paint('green', '✓') : paint('red', '✗');
			return `  ${mark} ${what.padEnd(46)}${seen ? paint('dim', seen) : paint('red', 'not seen')}`;
		})
		.join('\n');
}
