// Telegram as a bot sees it: its API, and the updates that it repeats until they are taken.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { close, listen } from '../../../tools/ports';
import { waitFor } from '../../../tools/wait';

export const TOKEN = '123456:secret';

/** A button of an inline keyboard: it opens a page, or sends back its data. */
export interface InlineButton {
	text?: unknown;
	url?: unknown;
	callback_data?: unknown;
}

/** A call of a method of the Bot API. */
export interface TelegramCall {
	method: string;
	chatId: string;
	/** Of sendMessage. */
	text: string;
	/** Of an uploaded file. */
	fileName: string;
	/** Of the inline keyboard, in its order. */
	buttons: InlineButton[];
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
	if (text.startsWith('{')) {
		const value = (JSON.parse(text) as Record<string, unknown>)[name] ?? '';
		return typeof value === 'object' ? JSON.stringify(value) : String(value);
	}
	return new RegExp(`name="${name}"\r\n\r\n(.*?)\r\n`, 's').exec(text)?.[1] ?? '';
}

const bytesOf = (text: string) => Buffer.byteLength(text, 'utf8');

/** Telegram takes web addresses with a dot in their host, and no others. */
function isLink(url: unknown): boolean {
	if (typeof url !== 'string' || !URL.canParse(url)) return false;
	const { protocol, hostname } = new URL(url);
	return /^https?:$/.test(protocol) && hostname.includes('.');
}

/** Why Telegram refuses a button. */
function faultOfButton({ text, url, callback_data: data }: InlineButton): string | undefined {
	if (typeof text !== 'string' || text.trim() === '')
		return 'can\'t parse inline keyboard button: Field "text" must be of type String';
	if (url === undefined && data === undefined)
		return "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard";
	if (url !== undefined && data !== undefined) return 'BUTTON_TYPE_INVALID';
	if (url !== undefined)
		return isLink(url) ? undefined : `inline keyboard button URL '${String(url)}' is invalid: Wrong HTTP URL`;
	const isFitting = typeof data === 'string' && bytesOf(data) >= 1 && bytesOf(data) <= 64;
	return isFitting ? undefined : 'BUTTON_DATA_INVALID';
}

/** Reads the keyboard of a call. @returns its buttons, and why Telegram refuses it where it does */
function readKeyboard(markup: string): { buttons: InlineButton[]; fault?: string } {
	if (markup === '') return { buttons: [] };
	const { inline_keyboard: rows } = JSON.parse(markup) as { inline_keyboard?: InlineButton[][] };
	const buttons = (rows ?? []).flat();
	if (buttons.length === 0 || rows?.some((row) => row.length === 0))
		return { buttons, fault: 'the keyboard is empty' };
	if (buttons.length > 100 || bytesOf(markup) > 10_000) return { buttons, fault: 'REPLY_MARKUP_TOO_LONG' };
	return { buttons, fault: buttons.map(faultOfButton).find((fault) => fault !== undefined) };
}

/** Stands for api.telegram.org. */
export class TelegramStub {
	readonly calls: TelegramCall[] = [];
	/** What a bot can fetch, by file_id. */
	readonly files = new Map<string, { path: string; data: Buffer }>();
	private readonly troubles: Array<{ chatId: string; method?: string; trouble: Trouble; times: number }> = [];
	/** Trouble that comes by chance to a call for which none was made. */
	chance: (method: string) => Trouble | undefined = () => undefined;
	/** The choices of customers, by their ID: what each was answered. */
	readonly queries = new Map<string, string[]>();
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

	/** What a chat shows as buttons, in order. */
	buttons(chatId: number): InlineButton[] {
		return this.calls
			.filter((call) => call.chatId === String(chatId) && call.isShown)
			.flatMap(({ buttons }) => buttons);
	}

	/** The update of a customer who chooses a button, or of one who makes up its data. */
	choice(chatId: number, data: unknown): object {
		const id = String(4_000_000_000 + this.nextUpdateId);
		this.queries.set(id, []);
		const from = { id: chatId, is_bot: false, first_name: 'Kim', last_name: 'Berger' };
		const chat = { id: chatId, type: 'private' };
		// The date is that of the bot's message, which may be old.
		const message = {
			message_id: 2,
			from: { id: 1, is_bot: true },
			chat,
			date: 1_600_000_000,
			text: 'Which?',
		};
		return {
			update_id: this.nextUpdateId++,
			callback_query: { id, from, message, chat_instance: '1', data },
		};
	}

	/** Takes an answer to an update, in which a bot may call a method. Nobody hears what becomes of it. */
	private takeReply(body: string): void {
		if (!body.startsWith('{')) return;
		const { method, callback_query_id: id, text } = JSON.parse(body) as Record<string, unknown>;
		if (String(method).toLowerCase() !== 'answercallbackquery') return;
		const answers = this.queries.get(String(id));
		const said = String(text ?? '');
		if (said.length <= 200) answers?.push(said);
	}

	/** Posts an update once. @returns the status; 0 where nobody answers */
	async post(url: string, secret: string, update: object): Promise<number> {
		const headers = { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': secret };
		try {
			const signal = AbortSignal.timeout(90_000);
			const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(update), signal });
			const body = await response.text();
			if (response.status === 200) this.takeReply(body);
			return response.status;
		} catch {
			return 0;
		}
	}

	/** Posts an update until it is taken, as Telegram does. @returns the statuses of all tries */
	async deliver(url: string, secret: string, update: object): Promise<number[]> {
		const statuses: number[] = [];
		await waitFor(
			'an update to be taken',
			600_000,
			async () => {
				const status = await this.post(url, secret, update);
				statuses.push(status);
				return status >= 200 && status < 300;
			},
			1_000,
		);
		return statuses;
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
			if (this.chance(method) === 'cutAfter') return void request.socket.destroy();
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
		const { buttons, fault } = readKeyboard(fieldOf(body, 'reply_markup'));
		const text = fieldOf(body, 'text');
		const call = { method, chatId, text, fileName, buttons, isShown: false, at: Date.now() };
		this.calls.push(call);
		const rule = this.troubles.find(
			(one) => one.times > 0 && one.chatId === chatId && (one.method ?? method) === method,
		);
		if (rule) rule.times -= 1;
		const trouble = rule?.trouble ?? this.chance(method);
		if (typeof trouble === 'object' && 'status' in trouble) {
			const { status, description, retryAfter } = trouble;
			const parameters = retryAfter === undefined ? undefined : { retry_after: retryAfter };
			return json(status, { ok: false, error_code: status, description, parameters });
		}
		if (fault !== undefined)
			return json(400, { ok: false, error_code: 400, description: `Bad Request: ${fault}` });
		call.isShown = true;
		if (trouble === 'cutAfter') return void request.socket.destroy();
		if (trouble) await new Promise((resolve) => setTimeout(resolve, trouble.delayMs));
		json(200, { ok: true, result: method === 'sendChatAction' ? true : { message_id: this.calls.length } });
	}
}
