import { readKey, type Json } from '../../nodes/shared/json';
import { pageReader } from '../../nodes/Dynamics365Messaging/messagingApi/pages';
import { ServiceError } from '../../nodes/shared/transport/errors';
import { readPage } from '../../nodes/shared/transport/pagination';
import { verificationOf, type ServiceRequest } from '../../nodes/shared/transport/request';
import type { ServiceCalls } from '../../nodes/shared/transport/client';
import { seededRandom } from '../../emulator/settings';

/**
 * A model of the Messaging API and of the way to it, in virtual time and without sockets, so that a search can go through
 * very many schedules. It stands in for the cloud service and the network. `startSchedules.test.ts` compares it with the
 * emulator over sockets.
 */

/** What becomes of one try of a call. `…Before`: the service never gets it. `…After`: it does, and its answer is spoilt. */
export const FAULTS = [
	'none',
	/** The connection is refused: it surely did not arrive. */
	'refused',
	/** 429, to be tried again in a few seconds. */
	'throttled',
	/** 429, for longer than the run may wait. */
	'throttledForLong',
	'lostBefore',
	'lostAfter',
	/** The connection breaks, and the service gets the call some seconds later. */
	'lostLate',
	'emptyBefore',
	'emptyAfter',
	'unreadableBefore',
	'unreadableAfter',
] as const;
export type Fault = (typeof FAULTS)[number];

/** One run of the workflow. */
export interface Run {
	/** When it starts, virtual milliseconds. */
	startsAt: number;
	/** What its items say, one after the other, for the same customer. */
	texts: string[];
	/** Whether the words go along as a start message: Skip AI Agent is on. */
	skipsAiAgent: boolean;
	/** What becomes of the tries of its calls, in turn, by what they do; after the last one nothing goes wrong. */
	faults: { create: Fault[]; read: Fault[]; send: Fault[] };
}

/** Everything that is not decided by the code under test. */
export interface Schedule {
	/** How old the customer's active conversation is at the start, milliseconds; undefined: there is none. */
	activeSince?: number;
	/** Its first words; undefined: nobody said any. */
	firstWords?: string;
	runs: Run[];
	/** After which of the calls that the service gets, from 1, a representative closes the customer's conversation. */
	closesAfter: number[];
	/** Whether the messages of a closed conversation can still be read: documented is that they cannot. */
	isClosedReadable: boolean;
	/** By how much the service's clock is ahead, milliseconds. */
	clock: number;
	/** By how much that of its message IDs is ahead of that of its Date header, milliseconds. */
	idClock: number;
	/** For the times that calls and answers take. */
	seed: number;
}

/** What the service knows of the words of an item. */
export interface Arrival {
	run: number;
	item: number;
	conversationId: string;
	messageId: string;
}

interface Conversation {
	id: string;
	isActive: boolean;
	messages: Array<{ messageId: string; text: string }>;
}

/** A day in 2027; the times of message IDs have 13 digits. */
const EPOCH = 1_800_000_000_000;
const RETRY_AFTER = 9_000;
const PAUSE = 1_000;
const LATE = 12_000;

/** Virtual time: what waits goes on in the order of its time, and in that of its waiting where that is the same. */
class VirtualTime {
	now = 0;
	private waiting: Array<{ at: number; wake: () => void }> = [];

	async wait(ms: number): Promise<void> {
		const at = this.now + ms;
		await new Promise<void>((wake) => {
			const index = this.waiting.findIndex((other) => other.at > at);
			this.waiting.splice(index < 0 ? this.waiting.length : index, 0, { at, wake });
		});
	}

	/** Goes on until nothing waits any more. */
	async runToEnd(): Promise<void> {
		for (;;) {
			// All that follows from the last step happens before the next one: a tick comes after all settled promises.
			await new Promise<void>((resume) => process.nextTick(resume));
			const next = this.waiting.shift();
			if (!next) return;
			this.now = next.at;
			next.wake();
		}
	}
}

/** The service and the network of one schedule. */
export class MessagingModel {
	readonly time = new VirtualTime();
	readonly arrivals: Arrival[] = [];
	private readonly conversations: Conversation[] = [];
	private readonly random: () => number;
	private lastMessageId = 0;
	private handled = 0;
	private late = 0;
	/** The runs that may not wait as long as the service asks them to. */
	private readonly paused = new Set<number>();

	constructor(private readonly schedule: Schedule) {
		this.random = seededRandom(schedule.seed);
		if (schedule.activeSince === undefined) return;
		const conversation = this.open();
		if (schedule.firstWords === undefined) return;
		this.addMessage(conversation, schedule.firstWords, -schedule.activeSince);
	}

	/** The client of an item. Its calls go on as the schedule says. */
	clientFor(run: number, item: number): Pick<ServiceCalls, 'call' | 'page'> {
		const call = async (request: ServiceRequest) => await this.call(request, run, item);
		const json = async (request: ServiceRequest) => (await call(request)).json;
		return { call, page: async (list, cursor) => await readPage(list, pageReader, json, cursor) };
	}

	/** Carries out a call as the node's transport does: again where that is safe. */
	private async call(request: ServiceRequest, run: number, item: number) {
		const verification = verificationOf(request);
		const error = (message: string, outcome: 'notSent' | 'uncertain') =>
			new ServiceError({ message, description: verification?.howToVerify ?? '', outcome });
		const isRepeatable = verification?.isIdempotent !== false;
		const faults = this.schedule.runs[run]!.faults;
		const queue =
			request.method === 'GET' ? faults.read : /create$/.test(request.path) ? faults.create : faults.send;
		let mayRepeat = false;
		for (;;) {
			const fault = queue.shift() ?? 'none';
			await this.pass();
			if (fault === 'throttledForLong') this.paused.add(run);
			if (this.paused.has(run)) throw error('throttled', 'notSent');
			if (fault === 'refused' || fault === 'throttled') {
				await this.time.wait(fault === 'refused' ? PAUSE : RETRY_AFTER);
				continue;
			}
			if (fault === 'lostLate') void this.arriveLate(request, run, item);
			const isLost = fault.startsWith('lost');
			const arrives = !fault.endsWith('Before') && fault !== 'lostLate';
			const answer = arrives ? this.handle(request, run, item) : undefined;
			const date = Math.floor(this.clockNow() / 1000) * 1000;
			await this.pass();
			if (isLost) {
				if (!isRepeatable) throw error('lost', 'uncertain');
				mayRepeat = true;
				await this.time.wait(PAUSE);
				continue;
			}
			if (fault.startsWith('unreadable')) throw error('unreadable', verification ? 'uncertain' : 'notSent');
			// An empty 200 hides a refusal, too.
			const isEmpty = fault.startsWith('empty');
			if (answer instanceof ServiceError && !isEmpty) throw answer;
			const json = isEmpty || answer === undefined || answer instanceof ServiceError ? null : answer;
			const confirmedBy = 'confirmedBy' in request ? request.confirmedBy : undefined;
			if (confirmedBy !== undefined && !readKey(json, confirmedBy)) throw error('unconfirmed', 'uncertain');
			return { json, date, mayRepeat };
		}
	}

	/** The time that a call or an answer takes. */
	private async pass(): Promise<void> {
		await this.time.wait(Math.floor(this.random() * 40));
	}

	/** A call that outlives its connection. Until it arrives, no representative closes the conversation. */
	private async arriveLate(request: ServiceRequest, run: number, item: number): Promise<void> {
		this.late++;
		await this.time.wait(Math.floor(this.random() * LATE));
		this.late--;
		this.handle(request, run, item);
	}

	private clockNow(): number {
		return EPOCH + this.time.now + this.schedule.clock;
	}

	/** What the service does with a call that it gets. */
	private handle(request: ServiceRequest, run: number, item: number): Json | ServiceError {
		const answer = this.answer(request, run, item);
		this.handled++;
		if (this.schedule.closesAfter.includes(this.handled) && this.late === 0) {
			for (const conversation of this.conversations) conversation.isActive = false;
		}
		return answer;
	}

	private answer(request: ServiceRequest, run: number, item: number): Json | ServiceError {
		const active = this.conversations.find(({ isActive }) => isActive);
		const note = (conversation: Conversation, text: string) => {
			const messageId = this.addMessage(conversation, text, 0);
			this.arrivals.push({ run, item, conversationId: conversation.id, messageId });
			return messageId;
		};
		const body = request.method === 'GET' ? undefined : request.body;
		if (/create$/.test(request.path)) {
			if (active) return { conversationId: active.id, isNew: false };
			const conversation = this.open();
			const words = readKey(readKey(body, 'startmessage'), 'message');
			const created = { conversationId: conversation.id, isNew: true };
			return typeof words === 'string' ? { ...created, messageId: note(conversation, words) } : created;
		}
		const named = this.conversations.find(({ id }) => id === request.path.split('/')[2]);
		const isReadable = request.method === 'GET' && this.schedule.isClosedReadable;
		if (!named || !(named.isActive || isReadable)) {
			return new ServiceError({ message: 'closed', description: '', httpCode: 404, code: '30013' });
		}
		if (request.method === 'GET') return { messages: named.messages };
		return { messageId: note(named, String(readKey(body, 'text'))) };
	}

	private open(): Conversation {
		const conversation = { id: `c${this.conversations.length + 1}`, isActive: true, messages: [] };
		this.conversations.push(conversation);
		return conversation;
	}

	private addMessage({ messages }: Conversation, text: string, ago: number): string {
		const at = this.clockNow() + this.schedule.idClock + ago;
		this.lastMessageId = Math.max(at, this.lastMessageId + 1);
		const messageId = String(this.lastMessageId);
		messages.push({ messageId, text });
		return messageId;
	}
}
