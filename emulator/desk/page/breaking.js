import { byId, element, notify, setText, show } from './dom.js';
import { act, api, breakage, drawWith, render, selected } from './state.js';
import { describeFault, openTab } from './wire.js';

/** The faults that a person injects, to see how the workflow handles them. */

/** The kinds of faults, and how each uses the seconds of the form. */
const KINDS = {
	delay: { action: (seconds) => ({ delayMs: Math.round(seconds * 1000) }), seconds: 'Wait, seconds' },
	429: { action: (seconds) => ({ status: 429, retryAfter: seconds }), seconds: 'Retry-After, seconds' },
	503: { action: (seconds) => ({ status: 503, retryAfter: seconds }), seconds: 'Retry-After, seconds' },
	401: { action: () => ({ status: 401 }) },
	500: { action: () => ({ status: 500 }) },
	resetBefore: { action: () => 'resetBefore' },
	resetAfter: { action: () => 'resetAfter' },
	revokeTokens: { action: () => 'revokeTokens' },
	rotateKeys: { action: () => 'rotateKeys' },
};

function take(faults) {
	if (faults) Object.assign(breakage, faults);
	render();
	return Boolean(faults);
}

let reads = 0;
/** Reads the fault rules. Code that embeds the emulator changes them too, and each call counts a rule down. */
export async function readBreakage() {
	const read = ++reads;
	const [faults, delivery] = await Promise.all([api('GET', 'faults'), api('GET', 'delivery')]);
	// Rules that were read before the latest change are out of date.
	if (read === reads) take(faults && delivery && { ...faults, delivery });
}

/** Changes what goes wrong. */
async function change(method, path, body) {
	reads++;
	return take(await api(method, path, body));
}

/* ------------------------------------------------------------------ the form */

const shortOf = (operationId) =>
	operationId === 'token' ? 'access token' : operationId.replace(/^(dataverse|communication)\./, '');

function renderOperations() {
	const select = byId('fault-operation');
	if (select.options.length > 1 || breakage.services.length === 0) return;
	for (const { name, operationIds } of breakage.services) {
		const options = operationIds.map((id) => element('option', { value: id }, shortOf(id)));
		select.append(element('optgroup', { label: name }, ...options));
	}
}

function renderForm() {
	const { seconds } = KINDS[byId('fault-kind').value];
	byId('fault-wait').hidden = !seconds;
	byId('fault-seconds').step = byId('fault-kind').value === 'delay' ? 'any' : '1';
	setText('fault-wait-name', seconds ?? '');
	const conversation = selected();
	byId('fault-mine').hidden = !conversation;
	setText('fault-mine-name', conversation ? `Only in ${conversation.customer.name}’s conversation` : '');
}

byId('fault-kind').onchange = renderForm;
byId('fault').onsubmit = async (event) => {
	event.preventDefault();
	const kind = KINDS[byId('fault-kind').value];
	const operationId = byId('fault-operation').value;
	const times = Number(byId('fault-times').value);
	const isMine = selected() && byId('fault-only').checked;
	const rule = {
		action: kind.action(Number(byId('fault-seconds').value)),
		match: { ...(operationId && { operationId }), ...(isMine && { conversationId: selected().id }) },
		...(times > 0 && { times }),
	};
	// Where the page is low, the list is below the form.
	if (await change('POST', 'faults', rule)) byId('faults').firstChild?.scrollIntoView({ block: 'nearest' });
};

/* ------------------------------------------------------------------ what goes wrong now */

function describeRule({ action, match = {}, times, probability = 1 }) {
	const often = times === undefined ? 'until cleared' : `${times} more ${times === 1 ? 'time' : 'times'}`;
	const odds = probability < 1 ? `${Math.round(probability * 100)} %` : '';
	const whose = match.conversationId ? 'one conversation' : match.customerId ? 'one customer' : '';
	const call = match.operationId ? shortOf(match.operationId) : 'any call';
	return { title: describeFault(action), detail: [call, whose, odds].filter(Boolean).join(' · '), often };
}

function renderRule({ id, ...rule }) {
	const { detail, often, title } = describeRule(rule);
	const clear = element('button', { type: 'button', ariaLabel: `Clear: ${title}, ${detail}` }, 'Clear');
	clear.onclick = async () => {
		if ((await change('DELETE', `faults/${id}`)) && !byId('faults').contains(document.activeElement))
			byId('break-heading').focus();
	};
	return element(
		'li',
		{},
		element('strong', {}, title),
		element('span', { className: 'note' }, detail),
		element('span', { className: 'often' }, often),
		clear,
	);
}

function renderBreaking() {
	renderOperations();
	renderForm();
	const { delivery, rules } = breakage;
	show(byId('faults'), rules, ({ id }) => id, renderRule);
	byId('faults-empty').hidden = rules.length > 0;
	byId('clear-faults').hidden = rules.length === 0;
	byId('signed').checked = delivery.signed;

	const conversation = selected();
	byId('break-close').hidden = !conversation || conversation.state === 'closed';
	setText('close-name', conversation ? `${conversation.customer.name}’s conversation` : '');

	const broken = rules.length + Number(!delivery.signed);
	for (const id of ['broken-tab', 'broken-go']) {
		byId(id).hidden = broken === 0;
		setText(id, String(broken));
	}
	byId('broken').hidden = broken === 0;
	setText('broken', broken === 1 ? '1 thing is broken' : `${broken} things are broken`);
}
drawWith(renderBreaking);

byId('clear-faults').onclick = async () => {
	if (await change('DELETE', 'faults')) byId('break-heading').focus();
};
byId('broken').onclick = () => {
	openTab('break');
	byId('break-heading').focus();
};

/* ------------------------------------------------------------------ at once */

byId('revoke-tokens').onclick = async () => {
	if (await api('POST', 'tokens/revoke')) notify('Every token that was issued until now is refused.');
};
byId('rotate-keys').onclick = async () => {
	if (await api('POST', 'keys/rotate'))
		notify('Tokens and deliveries are signed with a new key from now on.');
};
byId('signed').onchange = async ({ target }) => {
	const signed = target.checked;
	reads++;
	// Shown at once: what is drawn in the meantime would switch it back.
	Object.assign(breakage.delivery, { signed });
	render();
	if (!(await api('PUT', 'delivery', { signed }))) await readBreakage();
};
byId('break-close-button').onclick = async () => {
	if (await act('close')) byId('break-heading').focus();
};
