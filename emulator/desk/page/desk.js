import { announce, byId } from './dom.js';
import { api, calls, conversations, deliveries, render } from './state.js';
import './list.js';
import './chat.js';
import './customer.js';
import './wire.js';
import './queue.js';
import { readBreakage } from './breaking.js';
import { readChannel, readWorld } from './setup.js';

/** The agent desk: reads changes from the emulator. The other modules show them. */

/** What a screen reader announces about a conversation that has changed. */
function newsOf(conversation, before) {
	const { customer, lines } = conversation;
	const written = lines.slice(before?.lines.length ?? 0).filter(({ who }) => who === 'customer');
	const words = written.map(({ text, attachments = [] }) =>
		[text, ...attachments.map(({ name }) => name)].filter(Boolean).join(', '),
	);
	if (!before) words.unshift('a new conversation');
	return words.length > 0 ? `${customer.name}: ${words.join('. ')}` : '';
}

let hasRead = false;
let isRefreshing = false;
let isStale = false;
/** Reads the conversations. If they change meanwhile, they are read again afterwards. */
async function refresh() {
	isStale = true;
	if (isRefreshing) return;
	isRefreshing = true;
	while (isStale) {
		isStale = false;
		const all = await api('GET', 'conversations');
		if (!all) break;
		const news = all.map((one) => newsOf(one, conversations.get(one.id))).filter(Boolean);
		if (hasRead && news.length > 0) announce(news.join('. '));
		hasRead = true;
		conversations.clear();
		for (const conversation of all) conversations.set(conversation.id, conversation);
		render();
	}
	isRefreshing = false;
}

const CALLS = ['request', 'token', 'dataverse', 'communication'];
const BREAKING = ['addFault', 'clearFaults', 'signDeliveries'];

let refreshTimer;
let isBreakageStale = true;
let isChannelStale = true;
function takeEntry(entry) {
	if (entry.kind === 'delivery') deliveries.set(entry.seq, entry);
	if (CALLS.includes(entry.kind)) calls.set(entry.seq, entry);
	if (entry.action === 'webhookUrl' || entry.kind === 'dataverse') isChannelStale = true;
	// The log does not have the fault of a token request.
	if (entry.fault || entry.kind === 'token' || BREAKING.includes(entry.action)) isBreakageStale = true;
	// Entries come in bursts, at the start above all.
	clearTimeout(refreshTimer);
	refreshTimer = setTimeout(catchUp, 30);
}

async function catchUp() {
	if (isChannelStale) readChannel();
	if (isBreakageStale) readBreakage();
	isChannelStale = isBreakageStale = false;
	await refresh();
}

function follow() {
	const live = byId('live');
	const source = new EventSource('api/events');
	// The stream begins with the whole log, also after a restart of the emulator.
	source.addEventListener('start', async () => {
		deliveries.clear();
		calls.clear();
		live.textContent = 'live';
		live.classList.add('on');
		isBreakageStale = isChannelStale = true;
		await catchUp();
	});
	source.onmessage = ({ data }) => takeEntry(JSON.parse(data));
	source.onerror = () => {
		live.textContent = 'reconnecting';
		live.classList.remove('on');
	};
}

readWorld();
render();
follow();
