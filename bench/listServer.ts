// Gives out a list of conversations as the Messaging API does, from pages that it made before: so what is measured is the
// reader. The emulator needs some four milliseconds of processor time for each page (token, contract, log).
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Emulator } from '../emulator';
import { close, listen } from '../tools/ports';

/** A running server of one list. */
export interface ListServer {
	origin: string;
	close: () => Promise<void>;
}

/** The ID of a conversation. */
const idOf = (index: number) => `c0ffee00-0000-4000-8000-${String(index).padStart(12, '0')}`;

/** Makes the answer for each page. The continuation token of a page is its number. */
function pagesOf(length: number, pageSize: number): Buffer[] {
	const count = Math.ceil(length / pageSize);
	return Array.from({ length: count }, (_, page) => {
		const indexes = Array.from({ length: pageSize }, (__, place) => page * pageSize + place);
		const conversations = indexes
			.filter((index) => index < length)
			.map((index) => ({ conversationId: idOf(index), timestamp: new Date(index).toISOString() }));
		const last = page + 1 === count;
		return Buffer.from(
			JSON.stringify({ conversations, ...(!last && { continuationtoken: String(page + 1) }) }),
		);
	});
}

/**
 * Starts a server of a list of conversations.
 * @param certificate of the server.
 * @param length how many conversations the list has.
 * @param pageSize the size of its pages; a request that asks for another one is answered 400.
 * @returns the running server; call its `close()` at the end.
 */
export async function startListServer(
	certificate: Emulator['certificate'],
	length: number,
	pageSize: number,
): Promise<ListServer> {
	const pages = pagesOf(length, pageSize);
	const answer = ({ url = '', headers }: IncomingMessage, response: ServerResponse) => {
		const { pathname, searchParams } = new URL(url, 'https://localhost');
		const page = pages[Number(searchParams.get('ContinuationToken') ?? 0)];
		const isAsked = pathname === '/api/v1.0/consumer/conversations' && page !== undefined;
		const isSigned = headers.authorization?.startsWith('Bearer ') === true;
		if (!isAsked || !isSigned || searchParams.get('PageSize') !== String(pageSize)) {
			return void response.writeHead(400).end();
		}
		response.setHeader('content-type', 'application/json');
		response.end(page);
	};
	const server = createServer(certificate, answer);
	return {
		origin: `https://localhost:${await listen(server)}`,
		close: async () => await close(server),
	};
}
