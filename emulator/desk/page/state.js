import { notify } from './dom.js';

/** The state of the page, read from the emulator. */
export const conversations = new Map();
export const deliveries = new Map();
export const calls = new Map();
/** The fault rules, the calls that they can match, and the settings of deliveries. */
export const breakage = { rules: [], services: [], delivery: { signed: true, retryDelayMs: 0, tries: 0 } };

/** What whoever started the emulator told it. */
export const hints = { customerWebhookUrl: null };

/** In the place of a conversation's id: a customer who has none yet. */
export const NEW = 'new';

/** The selection of the user. The conversation is also in the address, for the browser's back button. */
export const view = { selectedId: null, pane: 'talk', tab: 'deliveries', writer: 'representative' };

export const selected = () => conversations.get(view.selectedId);
export const isOpen = ({ state }) => state === 'waiting' || state === 'active';
export const STATES = { waiting: 'Waiting', active: 'Active', wrapUp: 'Wrap-up', closed: 'Closed' };

const drawings = [];
/** Registers a part of the page to be drawn whenever something has changed. */
export const drawWith = (draw) => drawings.push(draw);
export const render = () => drawings.forEach((draw) => draw());

/** Calls the desk's API. @returns undefined when it refuses, after showing a notice */
export async function api(method, path, body, tell = notify) {
	try {
		const isForm = body instanceof FormData;
		const response = await fetch(`api/${path}`, {
			method,
			headers: body && !isForm ? { 'Content-Type': 'application/json' } : {},
			body: isForm || body === undefined ? body : JSON.stringify(body),
		});
		const answer = await response.json();
		if (response.ok) return answer;
		tell(answer.error);
	} catch {
		tell('The emulator does not answer. Is it still running?');
	}
	return undefined;
}

/** Does something with the chosen conversation, and shows the result at once. */
export async function act(action, body = {}, tell = notify) {
	const answer = await api('POST', `conversations/${view.selectedId}/${action}`, body, tell);
	if (!answer) return false;
	conversations.set(answer.conversation.id, answer.conversation);
	render();
	return true;
}
