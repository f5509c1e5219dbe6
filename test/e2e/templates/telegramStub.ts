// Telegram as a bot sees it: its API, and the updates that it repeats until they are taken.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { close, listen } from '../../../tools/ports';
import { waitFor } from '../../../tools/wait';

export const TOKEN = '123456:secret';

/** A call of a method of the Bot API. */
export interface TelegramCall {
	method: string;
	chatId: string;
	/** Of sendMessage. */
	text: string;
	/** Of an uploaded file. */
	fileName: string;
	/** Whether the chat shows it, which it also does where the answer was lost. */
	isShown: boolean;
	at: number;
}

/** What the stub does to the next calls of a chat that send something. */
export type Trouble =
	| { status: number; description: string; retryAfter?: number }
	/** Shows it, and cuts the connection instead of answering. */
	| 'cutAfter'
	/** Shows it, and answers so many milliseconds later. */
	| { delayMs: number };

/** A part of a form, or of a body of JSON, as text. */
function fieldOf(body: Buffer, name: string): string {
	const text = body.toString('utf8');
	if (text.startsWith('{')) return String((JSON.parse(text) as Record<string, unknown>)[name] ?? '');
	return new RegExp(`name="${name}"\r\n\r\n(.*?)\r\n`, 's').exec(text)?.[1] ?? '';
}

/** Stands for api.telegram.org. */
export class TelegramStub {
	readonly calls: TelegramCall[] = [];
	/** What a bot can fetch, by file_id. */
	readonly files = new Map<string, { path: string; data: Buffer }>();
	private readonly troubles: Array<{ chatId: string; method?: string; trouble: Trouble; times: number }> = [];
	private nextUpdateId = 710_000_000;
	private readonly server = createServer((request, response) => void this.answer(request, response));
	url = '';

	async start(): Promise<this> {
		this.url = `http://127.0.0.1:${await listen(this.server)}`;
		return this;
	}

	async close(): Promise<void> {
		await close(this.server);
	}

	/** Makes trouble for calls of a chat; a call that has had all of it is carried out. */
	trouble(chatId: number, trouble: Trouble, { times = 1, method }: { times?: number; method?: string } = {}) {
		this.troubles.push({ chatId: String(chatId), method, trouble, times });
	}

	/** What a chat shows of the bot, in order: texts, and names of files. */
	shown(chatId: number): string[] {
		return this.calls
			.filter((call) => call.chatId === String(chatId) && call.isShown && call.method !== 'sendChatAction')
			.map(({ text, fileName }) => text || fileName);
	}

	/** An update of a private chat, with an ID of its own. */
	update(chatId: number, message: object, { isEdited = false } = {}): object {
		const date = Math.floor(Date.now() / 1000);
		const from = { id: chatId, is_bot: false, first_name: 'Kim', last_name: 'Berger' };
		const whole = { message_id: 1, date, chat: { id: chatId, type: 'private' }, from, ...message };
		return {
			update_id: this.nextUpdateId++,
			...(isEdited ? { edited_message: { ...whole, edit_date: date } } : { message: whole }),
		};
	}

	private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const body = await buffer(request);
		const { url = '' } = request;
		const method = url.replace(`/bot${TOKEN}/`, '');
		const json = (status: number, answer: object) => {
			response.writeHead(status, { 'content-type': 'application/json' });
			response.end(JSON.stringify(answer));
		};
		if (method === 'getFile') {
			const file = this.files.get(fieldOf(body, 'file_id'));
			if (file) return json(200, { ok: true, result: { file_path: file.path } });
			return json(400, { ok: false, error_code: 400, description: 'Bad Request: file is too big' });
		}
		const file = [...this.files.values()].find(({ path }) => url === `/file/bot${TOKEN}/${path}`);
		if (file) {
			response.writeHead(200, { 'content-type': 'application/octet-stream' });
			return void response.end(file.data);
		}
		const chatId = fieldOf(body, 'chat_id');
		const fileName = /filename="(.*?)"\r\n/.exec(body.toString('utf8'))?.[1] ?? '';
		const call = { method, chatId, text: fieldOf(body, 'text'), fileName, isShown: false, at: Date.now() };
		this.calls.push(call);
		const rule = this.troubles.find(
			(one) => one.times > 0 && one.chatId === chatId && (one.method ?? method) === method,
		);
		if (rule) rule.times -= 1;
		const trouble = rule?.trouble;
		if (typeof trouble === 'object' && 'status' in trouble) {
			const { status, description, retryAfter } = trouble;
			const parameters = retryAfter === undefined ? undefined : { retry_after: retryAfter };
			return json(status, { ok: false, error_code: status, description, parameters });
		}
		call.isShown = true;
		if (trouble === 'cutAfter') return void request.socket.destroy();
		if (trouble) await new Promise((resolve) => setTimeout(resolve, trouble.delayMs));
		json(200, { ok: true, result: method === 'sendChatAction' ? true : { message_id: this.calls.length } });
	}
}

/** Posts an update once. @returns the status; 0 where nobody answers */
export async function postUpdate(url: string, secret: string, update: object): Promise<number> {
	const headers = { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': secret };
	return await fetch(url, { method: 'POST', headers, body: JSON.stringify(update) }).then(
		({ status }) => status,
		() => 0,
	);
}

/** Posts an update until it is taken, as Telegram does. @returns the statuses of all tries */
export async function deliverUpdate(url: string, secret: string, update: object): Promise<number[]> {
	const statuses: number[] = [];
	await waitFor(
		'an update to be taken',
		120_000,
		async () => {
			const status = await postUpdate(url, secret, update);
			statuses.push(status);
			return status >= 200 && status < 300;
		},
		1_000,
	);
	return statuses;
}
