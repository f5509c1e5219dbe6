import { byId, clock, element, notify, setText, show } from './dom.js';
import {
	api,
	breakage,
	calls,
	conversations,
	deliveries,
	drawWith,
	render,
	selected,
	view,
} from './state.js';

/** The HTTP traffic: deliveries to the webhook, and calls of the emulated services. */

const SHOWN = 100;

const OUTCOMES = {
	pending: ['open', 'under way'],
	accepted: ['good', 'accepted'],
	refused: ['bad', 'refused'],
	failed: ['bad', 'failed'],
};
const seconds = (ms) => `${(Math.max(ms, 0) / 1000).toFixed(1)} s`;
const pretty = (json) => JSON.stringify(json, null, 2);

/** The type of an activity, and the beginning of its text. */
function describeActivity(activity) {
	const type = activity.type ?? activity.Type ?? 'activity';
	const name = activity.name ?? activity.Name;
	const attachments = activity.attachments ?? activity.Attachments ?? [];
	const words = [
		activity.text ?? activity.Text,
		...attachments.map((attachment) => attachment.name ?? attachment.Name),
	];
	return {
		type,
		title: name ?? type,
		excerpt: name ? '' : words.filter(Boolean).join(' · '),
	};
}

/** An entry that can be expanded. It stays expanded when it is drawn again. */
function renderCard(before, summary, ...details) {
	return element(
		'li',
		{},
		element(
			'details',
			{ open: before?.firstElementChild.open ?? false },
			element('summary', {}, ...summary),
			element('div', { className: 'inside' }, ...details),
		),
	);
}

/* ------------------------------------------------------------------ deliveries */

const toneOf = ({ status }) => (status === 200 ? 'good' : 'bad');

function renderTry(attempt, index) {
	const said = `${attempt.status ?? 'no answer'} · ${attempt.ms} ms`;
	return element(
		'li',
		{ className: toneOf(attempt) },
		element('span', { className: 'hidden' }, `Try ${index + 1}: `),
		said,
	);
}

/** When the next try is due, in the machine's time; undefined when there is none to come. */
function dueOf({ outcome, tries, url }) {
	const last = tries.at(-1);
	if (outcome !== 'pending' || !url || !last) return undefined;
	if (last.status === 200 || tries.length >= breakage.delivery.tries) return undefined;
	return Date.parse(last.at) + last.ms + breakage.delivery.retryDelayMs;
}

/** Describes what a running delivery waits for. The text changes with time, see `tick`. */
function renderWait(delivery) {
	if (delivery.outcome !== 'pending') return null;
	const due = dueOf(delivery) ?? 0;
	const item = element('li', { className: 'open' });
	Object.assign(item.dataset, { due, next: delivery.tries.length + 1 });
	tick(item);
	return item;
}

function tick(item) {
	const left = Number(item.dataset.due) - Date.now();
	const next = `try ${item.dataset.next} of ${breakage.delivery.tries}`;
	item.textContent = left > 0 ? `${next} in ${seconds(left)}` : `${next} under way`;
}
setInterval(() => document.querySelectorAll('#deliveries [data-due]').forEach(tick), 200);

function renderTries(tries) {
	const rows = tries.map((attempt, index) =>
		element(
			'tr',
			{},
			element('td', {}, String(index + 1)),
			element('td', {}, clock(attempt.at, true)),
			element('td', { className: toneOf(attempt) }, String(attempt.status ?? attempt.error)),
			element('td', {}, `${attempt.ms} ms`),
		),
	);
	const heads = ['Try', 'At', 'Answer', 'Took'].map((name) => element('th', { scope: 'col' }, name));
	return element(
		'table',
		{},
		element('thead', {}, element('tr', {}, ...heads)),
		element('tbody', {}, ...rows),
	);
}

function renderDelivery({ customer, ...delivery }, before) {
	const { activity, at, conversationId, outcome, tries, url } = delivery;
	const [tone, word] = OUTCOMES[outcome];
	const { excerpt, title, type } = describeActivity(activity);
	const why = outcome === 'accepted' ? undefined : tries.at(-1)?.explanation;
	const isUndelivered = outcome !== 'pending' && !url;
	const again = element('button', { type: 'button' }, 'Deliver again');
	again.onclick = async () => {
		if (await api('POST', `conversations/${encodeURIComponent(conversationId)}/deliver`, activity))
			notify('Delivered once more, as it was.');
	};
	const change = element('button', { type: 'button' }, 'Change and deliver …');
	change.onclick = () => writeActivity(conversationId, activity);
	return renderCard(
		before,
		[
			element('span', { className: 'title' }, title),
			element('span', { className: `outcome ${tone}` }, word),
			excerpt ? element('span', { className: 'excerpt' }, excerpt) : null,
			element(
				'span',
				{ className: 'note' },
				[clock(at, true), type !== title && type, customer].filter(Boolean).join(' · '),
			),
			isUndelivered
				? element(
						'span',
						{ className: 'note' },
						'No webhook URL is set. Publish a workflow that begins with the trigger.',
					)
				: element(
						'ol',
						{ className: 'tries', ariaLabel: 'Tries' },
						...tries.map(renderTry),
						renderWait(delivery),
					),
			why ? element('span', { className: 'why bad' }, why) : null,
		],
		url ? element('p', { className: 'mono' }, `POST ${url}`) : null,
		tries.length > 0 ? renderTries(tries) : null,
		element('pre', {}, pretty(activity)),
		element('div', { className: 'buttons' }, again, change),
	);
}

/* ------------------------------------------------------------------ calls */

const SERVICES = {
	token: 'Microsoft Entra',
	request: 'Messaging API',
	dataverse: 'Dataverse',
	communication: 'Azure Communication Services',
};

/** The fault that was injected into a call. */
export function describeFault(action) {
	if (action === 'resetBefore') return 'cut before processing';
	if (action === 'resetAfter') return 'cut after processing';
	if (action === 'revokeTokens') return 'tokens revoked';
	if (action === 'rotateKeys') return 'keys rotated';
	if ('delayMs' in action) return `delayed by ${seconds(action.delayMs)}`;
	const wait = action.retryAfter === undefined ? '' : `, Retry-After ${action.retryAfter}`;
	return `refused with ${action.status}${wait}`;
}

function renderCall({ at, ...call }, before) {
	const isToken = call.kind === 'token';
	const path = isToken
		? `tenant ${call.tenant}`
		: `${call.method} ${call.path.replace(/^\/(api\/(v1\.0\/consumer|data\/v9\.2)|messages)/, '')}`;
	const type = call.operationId === 'sendActivity' && call.body?.type ? ` · ${call.body.type}` : '';
	const operation = call.operationId?.replace(/^(dataverse|communication)\./, '');
	const code = call.errorCode ? `${isToken ? 'AADSTS' : ''}${call.errorCode}` : '';
	const [wrong] = call.contractErrors ?? [];
	const said = [code, wrong?.detail ?? call.errorMessage].filter(Boolean).join(' · ');
	const isGood = call.status >= 200 && call.status < 300;
	return renderCard(
		before,
		[
			element(
				'span',
				{ className: 'title' },
				isToken ? 'access token' : (operation ?? 'unknown call') + type,
			),
			element(
				'span',
				{ className: `outcome ${isGood ? 'good' : 'bad'}` },
				call.status === 0 ? 'cut' : String(call.status),
			),
			element('span', { className: 'note' }, [clock(at, true), SERVICES[call.kind]].join(' · ')),
			element('span', { className: 'excerpt mono' }, path),
			said ? element('span', { className: 'excerpt bad' }, said) : null,
			call.fault ? element('span', { className: 'fault' }, `Made so: ${describeFault(call.fault)}`) : null,
		],
		element('pre', {}, pretty(call)),
	);
}

/* ------------------------------------------------------------------ the tabs and what they show */

/** The tabs with their content. On a phone, the switch at the bottom has the same tabs. */
const TABS = ['deliveries', 'calls', 'break'];

export function openTab(tab) {
	view.tab = tab;
	view.pane = 'wire';
	render();
}

function renderTabs() {
	document.body.dataset.pane = view.pane;
	for (const tab of TABS) {
		const isShown = tab === view.tab;
		const button = byId(`tab-${tab}`);
		button.setAttribute('aria-selected', String(isShown));
		button.tabIndex = isShown ? 0 : -1;
		byId(`panel-${tab}`).hidden = !isShown;
		byId(`go-${tab}`).ariaCurrent = String(view.pane === 'wire' && isShown);
	}
	byId('go-talk').ariaCurrent = String(view.pane === 'talk');
}

for (const [index, tab] of TABS.entries()) {
	byId(`tab-${tab}`).onclick = () => openTab(tab);
	byId(`go-${tab}`).onclick = () => openTab(tab);
	byId(`tab-${tab}`).addEventListener('keydown', ({ key }) => {
		const step = { ArrowRight: 1, ArrowLeft: TABS.length - 1 }[key];
		const next = step ? TABS[(index + step) % TABS.length] : { Home: TABS[0], End: TABS.at(-1) }[key];
		if (!next) return;
		openTab(next);
		byId(`tab-${next}`).focus();
	});
}
byId('go-talk').onclick = () => {
	view.pane = 'talk';
	render();
};

/** The deliveries of the chosen conversation, or of all. The latter show the conversation. */
function shownDeliveries() {
	const ofOne = selected() && !byId('all-deliveries').checked;
	const latest = [...deliveries.values()]
		.filter(({ conversationId }) => !ofOne || conversationId === view.selectedId)
		.reverse()
		.slice(0, SHOWN);
	if (ofOne) return latest;
	return latest.map((delivery) => ({
		...delivery,
		customer: conversations.get(delivery.conversationId)?.customer.name ?? 'no such conversation',
	}));
}

function renderWire() {
	renderTabs();
	byId('whose').hidden = !selected();
	const delivered = shownDeliveries();
	show(byId('deliveries'), delivered, ({ seq }) => seq, renderDelivery);
	byId('deliveries-empty').hidden = delivered.length > 0;
	setText(
		'deliveries-empty',
		!selected() || byId('all-deliveries').checked
			? 'What is delivered to the webhook appears here, with its tries and their answers.'
			: 'Nothing was delivered for this conversation yet.',
	);

	const kind = byId('calls-of').value;
	const called = [...calls.values()]
		.filter((call) => !kind || call.kind === kind)
		.reverse()
		.slice(0, SHOWN);
	show(byId('calls'), called, ({ seq }) => seq, renderCall);
	byId('calls-empty').hidden = called.length > 0;
}
drawWith(renderWire);
byId('all-deliveries').onchange = renderWire;
byId('calls-of').onchange = renderWire;

/* ------------------------------------------------------------------ any activity */

const BLANK = { type: 'event', name: 'SomethingNew', value: '{}' };

/** Opens the dialog in which any activity can be written, also one that the service never sends. */
function writeActivity(conversationId, activity) {
	byId('activity-conversation').value = conversationId;
	byId('activity-json').value = pretty(activity);
	byId('activity-error').textContent = '';
	byId('activity').showModal();
}
byId('write-activity').onclick = () => writeActivity(view.selectedId ?? crypto.randomUUID(), BLANK);
byId('activity-cancel').onclick = () => byId('activity').close();
byId('activity-form').onsubmit = async (event) => {
	event.preventDefault();
	const tell = (error) => (byId('activity-error').textContent = error);
	let activity;
	try {
		activity = JSON.parse(byId('activity-json').value);
	} catch (error) {
		tell(`This is not JSON: ${error.message}`);
		return;
	}
	const id = encodeURIComponent(byId('activity-conversation').value.trim());
	byId('activity-send').disabled = true;
	if (await api('POST', `conversations/${id}/deliver`, activity, tell)) byId('activity').close();
	byId('activity-send').disabled = false;
};
