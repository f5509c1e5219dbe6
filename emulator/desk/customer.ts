import { randomUUID } from 'node:crypto';
import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { Certificate } from '../certificate';
import { objectAt } from '../contract/open';
import { explainAnswer, explainFailure, explainTimeout, parseJson } from '../http/explain';
import { post, readText } from '../http/post';
import type { DeskEntry, Log } from '../log';
import { isOpen, type Conversation } from '../messaging/conversations';
import { resourceOf, type World } from '../world';
import { type Desk, DeskError } from './representatives';

/** What a person writes as the customer. */
export interface CustomerMessage {
	/** The customer's ID in the channel. */
	customerId: string;
	name: string;
	/** Undefined when the customer leaves. */
	text: string | undefined;
	/** The conversation that the person looks at. */
	conversation: Conversation | undefined;
}

/** A webhook that takes a customer's messages. */
export interface CustomerWebhook {
	url: string;
	/** What its Header Auth credential asks for. */
	header: { name: string; value: string } | undefined;
}

/** Where the message arrived; undefined where the workflow does not say so. */
export interface Written {
	conversationId: string | undefined;
}

/** The parts of the emulator that a customer's message goes through. */
export interface CustomerParts {
	world: World;
	log: Log;
	certificate: Certificate;
	desk: Desk;
	/** Of the service; known only after it listens. */
	origin: () => string;
}

/** As long as the templates may take to answer. */
const WEBHOOK_TIMEOUT_MS = 60_000;
const SERVICE_TIMEOUT_MS = 15_000;
const LONGEST_ANSWER_BYTES = 65_536;

function textAt(body: unknown, name: string): string {
	const value = objectAt(body)[name];
	return typeof value === 'string' ? value.trim() : '';
}

/**
 * Reads what a person wrote as the customer.
 *
 * @param body `{ customerId, name, text }`, or `leaves: true` in place of the text; with `conversationId`, it is the customer of
 * that conversation who writes
 * @throws DeskError 400 where something is missing, 404 for a conversation that does not exist
 */
export function readCustomerMessage(body: unknown, desk: Desk): CustomerMessage {
	const id = textAt(body, 'conversationId');
	const conversation = id === '' ? undefined : desk.get(id);
	const text = objectAt(body).leaves === true ? undefined : textAt(body, 'text');
	if (text === '') throw new DeskError(400, 'There is nothing to send: write a message.');
	if (conversation) {
		const { customer, customerId } = conversation;
		return { customerId: customerId ?? customer.id, name: customer.name, text, conversation };
	}
	const [customerId, name] = [textAt(body, 'customerId'), textAt(body, 'name')];
	if (customerId === '') throw new DeskError(400, 'A customer needs an ID.');
	return { customerId, name: name || customerId, text, conversation };
}

/** Reads the webhook that a customer's message goes to. @throws DeskError 400 for what is no http or https URL, and no header */
export function readCustomerWebhook(body: unknown): CustomerWebhook {
	const url = textAt(body, 'url');
	if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) {
		throw new DeskError(400, 'Type in the URL of the workflow. It begins with http:// or https://.');
	}
	const { username, password } = new URL(url);
	if (username || password) throw new DeskError(400, 'Leave user name and password out of the URL.');
	const [name, value] = [textAt(body, 'headerName').toLowerCase(), textAt(body, 'headerValue')];
	if (name === '') return { url, header: undefined };
	try {
		validateHeaderName(name);
		validateHeaderValue(name, value);
	} catch {
		throw new DeskError(400, 'The header has a sign that no header may have.');
	}
	return { url, header: { name, value } };
}

/** Writes as the customer, in the two ways that a message can take. */
export class Customer {
	constructor(private readonly parts: CustomerParts) {}

	/**
	 * Calls the Messaging API as a channel does, without n8n: with a token, and by the same calls. It goes on in the customer's
	 * open conversation, or opens one. A fault that is set for these calls applies.
	 *
	 * @throws DeskError 409 where there is no conversation to leave, 502 for what the service refuses
	 */
	async writeDirectly(message: CustomerMessage): Promise<Written> {
		const { conversation, customerId, name, text } = message;
		const open = conversation && isOpen(conversation) ? conversation.id : undefined;
		this.did(message, 'directly');
		if (text === undefined) {
			if (open === undefined) throw new DeskError(409, 'There is no open conversation to leave.');
			await this.send(open, { type: 'endOfConversation' });
			return { conversationId: open };
		}
		const said = { type: 'message', from: { id: customerId, name }, text };
		if (open !== undefined) {
			await this.send(open, said);
			return { conversationId: open };
		}
		const created = await this.call('/conversation/create', {
			customercontext: { customerid: customerId, preferredname: name },
			startmessage: { message: text, displayname: name },
		});
		const conversationId = textAt(created, 'conversationId');
		// The words of a start are not delivered to a conversation that was open already.
		if (objectAt(created).isNew === false) await this.send(conversationId, said);
		return { conversationId };
	}

	/**
	 * Posts to a workflow's webhook what a customer's app posts: `customerId`, `messageId`, `sentAt`, `name` and `text`, or `end`
	 * in place of the text.
	 *
	 * @throws DeskError 502 where it was not taken, with the reason in plain words
	 */
	async writeThroughWebhook(message: CustomerMessage, { url, header }: CustomerWebhook): Promise<Written> {
		const { customerId, name, text } = message;
		this.did(message, 'through a webhook');
		const body = JSON.stringify({
			customerId,
			messageId: randomUUID(),
			sentAt: new Date().toISOString(),
			name,
			...(text === undefined ? { end: true } : { text }),
		});
		const headers = header && { [header.name]: header.value };
		const signal = AbortSignal.timeout(WEBHOOK_TIMEOUT_MS);
		const answer = await this.answerTo(url, { body, headers, signal }, () =>
			explainTimeout(WEBHOOK_TIMEOUT_MS, 'customerMessage'),
		);
		if (answer.status < 200 || answer.status >= 300) {
			throw new DeskError(502, explainAnswer({ url, ...answer }, 'customerMessage'));
		}
		// Source: docs/service-facts.md#n8n-webhook-answers.
		if (/^n8n is starting up/i.test(answer.body)) {
			throw new DeskError(502, 'n8n is starting, and took nothing. Send it again in a moment.');
		}
		return { conversationId: textAt(parseJson(answer.body), 'conversationId') || undefined };
	}

	private did({ conversation, text }: CustomerMessage, detail: string): void {
		const action = text === undefined ? 'customerLeaves' : 'customerWrites';
		this.parts.log.add<DeskEntry>({ kind: 'desk', action, conversationId: conversation?.id, detail });
	}

	private async send(conversationId: string, activity: object): Promise<void> {
		const { channelId } = this.parts.world;
		await this.call(`/conversation/${conversationId}`, {
			channelId,
			conversation: { id: conversationId },
			...activity,
		});
	}

	/** Calls the Messaging API. @returns the body of its answer @throws DeskError 502 */
	private async call(path: string, body: object): Promise<unknown> {
		const { origin, world } = this.parts;
		return await this.service('The Messaging API', `${origin()}/api/v1.0/consumer${path}`, {
			body: JSON.stringify(body),
			headers: {
				authorization: `Bearer ${await this.token()}`,
				'organization-id': world.organizationId,
				'channel-id': world.channelId,
			},
		});
	}

	/** A new token for each call, so that one that was revoked at the desk is in nobody's way. */
	private async token(): Promise<string> {
		const { origin, world } = this.parts;
		const form = new URLSearchParams({
			grant_type: 'client_credentials',
			client_id: world.clientId,
			client_secret: world.clientSecret,
			scope: `${resourceOf(world)}/.default`,
		});
		const answer = await this.service('Microsoft Entra', `${origin()}/${world.tenantId}/oauth2/v2.0/token`, {
			body: form.toString(),
			contentType: 'application/x-www-form-urlencoded',
		});
		return textAt(answer, 'access_token');
	}

	private async service(
		service: string,
		url: string,
		options: { body: string; contentType?: string; headers?: Record<string, string> },
	): Promise<unknown> {
		const signal = AbortSignal.timeout(SERVICE_TIMEOUT_MS);
		const ca = this.parts.certificate.cert;
		const { body, status } = await this.answerTo(
			url,
			{ ...options, signal, ca },
			() => `${service} did not answer within ${SERVICE_TIMEOUT_MS / 1000} s.`,
		);
		const answer = parseJson(body);
		if (status >= 200 && status < 300) return answer;
		const why = textAt(answer, 'detail') || textAt(answer, 'error_description');
		throw new DeskError(502, `${service} answered ${status}. ${why}`.trim());
	}

	/** @param onTimeout says that no answer came @throws DeskError 502 where there is no answer */
	private async answerTo(
		url: string,
		options: Parameters<typeof post>[1],
		onTimeout: () => string,
	): Promise<{ status: number; body: string }> {
		try {
			const response = await post(url, options);
			return {
				status: response.statusCode ?? 0,
				body: await readText(response, LONGEST_ANSWER_BYTES),
			};
		} catch (error) {
			throw new DeskError(502, options.signal.aborted ? onTimeout() : explainFailure(url, error));
		}
	}
}
