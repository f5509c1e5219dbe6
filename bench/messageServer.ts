// Takes messages as the Messaging API does, but does nothing else: so it is never what a sender waits for. The emulator
// needs more than a millisecond of processor time for each call (token, contract, log), which is too slow for fifty at once.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import type { Emulator } from '../emulator';
import { close, listen } from '../tools/ports';

/** A message as it came. */
interface Taken {
	/** When the whole request was there, epoch milliseconds. */
	at: number;
	conversationId: string;
	text: string;
}

/** A running server of messages. */
export interface MessageServer {
	origin: string;
	/** What came, in its order. */
	taken: Taken[];
	/** What came for each conversation, in its order. */
	conversations: Map<string, Taken[]>;
	/** How many connections were opened. */
	connections: () => number;
	close: () => Promise<void>;
}

/** Reads a message. @throws Error where it has no token, or is none. */
async function read(request: IncomingMessage): Promise<Taken> {
	if (!request.headers.authorization?.startsWith('Bearer ')) throw new Error('There is no token');
	let body = '';
	for await (const piece of request.setEncoding('utf8')) body += String(piece);
	const { text, conversation } = JSON.parse(body) as { text: string; conversation: { id: string } };
	return { at: Date.now(), conversationId: conversation.id, text };
}

/**
 * Starts a server that confirms every message after a while.
 * @param certificate of the server.
 * @param serviceMs how long it takes for a call, milliseconds.
 * @returns the running server; call its `close()` at the end.
 */
export async function startMessageServer(
	certificate: Emulator['certificate'],
	serviceMs: number,
): Promise<MessageServer> {
	const taken: Taken[] = [];
	const conversations = new Map<string, Taken[]>();
	let connections = 0;
	const answer = async (request: IncomingMessage, response: ServerResponse) => {
		const message = await read(request);
		const count = taken.push(message);
		const earlier = conversations.get(message.conversationId) ?? [];
		conversations.set(message.conversationId, [...earlier, message]);
		await pause(serviceMs);
		response.setHeader('content-type', 'application/json');
		response.end(JSON.stringify({ messageId: String(count) }));
	};
	const server = createServer(certificate, (request, response) => {
		answer(request, response).catch((error: unknown) => response.writeHead(400).end(String(error)));
	});
	server.on('secureConnection', () => connections++);
	return {
		origin: `https://localhost:${await listen(server)}`,
		taken,
		conversations,
		connections: () => connections,
		close: async () => await close(server),
	};
}
