import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Activity, type Sender, systemEvent, toPascalCase } from './activities';
import type { Conversation, Conversations } from './conversations';
import type { Channel } from '../dataverse/channels';
import type { Identity } from '../entra/identity';
import { describeError, explainAnswer, explainFailure, explainTimeout, type Posted } from '../http/explain';
import { post, readText } from '../http/post';
import type { DeliveryEntry, Log } from '../log';
import type { Settings } from '../settings';

/** So much of an answer is read to explain it. */
const LONGEST_ANSWER_BYTES = 16_384;

/** The URL to which the service posts a conversation's activities. */
function activitiesUrl(webhookUrl: string, conversationId: string): string {
	return `${webhookUrl.replace(/\/+$/, '')}/v3/conversations/${conversationId}/activities`;
}

/**
 * Delivers activities to the webhook. Those of one conversation are delivered in order, one after the
 * other unless `settings.delivery.oneAtATime` is false; those of different conversations concurrently. An activity that is not answered with 200 is tried again until its tries are used up.
 */
export class Deliveries {
	/** All deliveries of each conversation until now, which the next one may wait for. */
	private readonly tails = new Map<string, Promise<void>>();
	private readonly stopped = new AbortController();

	constructor(
		private readonly log: Log,
		private readonly settings: Settings,
		private readonly identity: Identity,
		/** The channel of a conversation, even of one that does not exist; undefined when the record was deleted. */
		private readonly channelOf: (conversationId: string) => Channel | undefined,
	) {
		// Every delivery that waits for its next try listens to the signal.
		setMaxListeners(0, this.stopped.signal);
	}

	/**
	 * Queues an activity.
	 *
	 * @param activity in the documented casing; `settings.delivery.casing` is applied unless it is `raw`
	 */
	send(conversationId: string, activity: Activity, { raw = false } = {}): DeliveryEntry {
		const isPascal = !raw && this.settings.delivery.casing === 'pascal';
		const entry = this.log.add<DeliveryEntry>({
			kind: 'delivery',
			conversationId,
			activity: isPascal ? toPascalCase(activity) : activity,
			url: null,
			tries: [],
			outcome: 'pending',
		});
		const before = this.tails.get(conversationId) ?? Promise.resolve();
		const delivered = this.settings.delivery.oneAtATime
			? before.then(() => this.deliver(entry))
			: Promise.all([before, this.deliver(entry)]).then(() => undefined);
		const tail = delivered.finally(() => {
			if (this.tails.get(conversationId) === tail) this.tails.delete(conversationId);
		});
		this.tails.set(conversationId, tail);
		return entry;
	}

	/** Resolves when no delivery is running or queued. */
	async idle(): Promise<void> {
		while (this.tails.size > 0) await Promise.all(this.tails.values());
	}

	/** Aborts all deliveries. */
	async stop(): Promise<void> {
		this.stopped.abort();
		await this.idle();
	}

	private async deliver(entry: DeliveryEntry): Promise<void> {
		const webhookUrl = this.channelOf(entry.conversationId)?.webhookUrl ?? null;
		if (webhookUrl !== null) {
			entry.url = activitiesUrl(webhookUrl, entry.conversationId);
			while (entry.tries.length < this.settings.delivery.tries && !this.stopped.signal.aborted) {
				if (entry.tries.length > 0) await this.pause();
				const result = await this.tryOnce(entry.url, entry);
				entry.tries.push(result);
				this.log.changed(entry);
				if (result.status === 200) break;
			}
		}
		const status = entry.tries.at(-1)?.status;
		entry.outcome = status === 200 ? 'accepted' : status === undefined ? 'failed' : 'refused';
		this.log.changed(entry);
	}

	private async pause(): Promise<void> {
		// Ends early when the emulator closes.
		await sleep(this.settings.delivery.retryDelayMs, undefined, { signal: this.stopped.signal }).catch(
			() => undefined,
		);
	}

	private async tryOnce(
		url: string,
		{ activity, conversationId }: DeliveryEntry,
	): Promise<DeliveryEntry['tries'][number]> {
		const { signed, timeoutMs } = this.settings.delivery;
		const isSigned = signed && this.channelOf(conversationId)?.isTrusted === true;
		const startedAt = Date.now();
		const at = new Date(startedAt).toISOString();
		const posted: Posted = isSigned ? 'signedActivity' : 'unsignedActivity';
		const timeout = AbortSignal.timeout(timeoutMs);
		try {
			const headers: Record<string, string> = isSigned
				? { authorization: `Bearer ${await this.identity.issueDeliveryToken()}` }
				: {};
			const signal = AbortSignal.any([timeout, this.stopped.signal]);
			const response = await post(url, { headers, body: JSON.stringify(activity), signal });
			const { statusCode: status = 0 } = response;
			const ms = Date.now() - startedAt;
			if (status === 200) {
				response.resume();
				return { at, status, ms };
			}
			const body = await readText(response, LONGEST_ANSWER_BYTES);
			return { at, status, explanation: explainAnswer({ url, status, body }, posted), ms };
		} catch (error) {
			const ms = Date.now() - startedAt;
			return timeout.aborted
				? {
						at,
						error: `no answer within ${timeoutMs} ms`,
						explanation: explainTimeout(timeoutMs, posted),
						ms,
					}
				: { at, error: describeError(error), explanation: explainFailure(url, error), ms };
		}
	}
}

/** Delivers a system event of a conversation, e.g. `AgentAccepted`, and adds a line for the desk. */
export function sendSystemEvent(
	parts: { settings: Settings; conversations: Conversations; deliveries: Deliveries },
	conversation: Conversation,
	name: string,
	from?: Sender,
): void {
	const { id, representative } = conversation;
	parts.conversations.addNote(conversation, representative ? `${name} · ${representative.name}` : name);
	const { systemEventsAs } = parts.settings.delivery;
	parts.deliveries.send(id, systemEvent(conversation, name, systemEventsAs, from));
}
