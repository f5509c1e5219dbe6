import { byId, notify } from './dom.js';
import { api } from './state.js';

/** The queue: its hours, who is there, and who waits. It is what Dataverse's actions on availability answer. */

const CHECKS = { isOpen: 'queue-open', aiAgent: 'queue-ai' };
const NUMBERS = { representatives: 'queue-representatives', waitingBefore: 'queue-waiting' };
const TIMES = { opensAt: 'queue-opens', closesAt: 'queue-closes' };
const WAIT = 'queue-wait';

/** A point in time as a field of the browser has it: in the person's own time zone, without an offset. */
function localOf(iso) {
	if (!iso) return '';
	const date = new Date(iso);
	return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
const isoOf = (local) => (local ? new Date(local).toISOString() : null);

const each = (names, set) => Object.entries(names).forEach(([name, id]) => set(name, byId(id)));

function fill(queue) {
	each(CHECKS, (name, input) => (input.checked = queue[name]));
	each(NUMBERS, (name, input) => (input.value = queue[name]));
	each(TIMES, (name, input) => (input.value = localOf(queue[name])));
	byId(WAIT).value = queue.averageWaitSeconds ?? '';
}

function filled() {
	const queue = { averageWaitSeconds: byId(WAIT).value === '' ? null : Number(byId(WAIT).value) };
	each(CHECKS, (name, { checked }) => (queue[name] = checked));
	each(NUMBERS, (name, { value }) => (queue[name] = Number(value)));
	each(TIMES, (name, { value }) => (queue[name] = isoOf(value)));
	return queue;
}

byId('show-queue').onclick = async () => {
	const queue = await api('GET', 'availability');
	if (!queue) return;
	fill(queue);
	byId('queue-error').textContent = '';
	byId('queue').showModal();
};
byId('queue-cancel').onclick = () => byId('queue').close();
byId('queue-form').onsubmit = async (event) => {
	event.preventDefault();
	const tell = (text) => (byId('queue-error').textContent = text);
	if (!(await api('PUT', 'availability', filled(), tell))) return;
	byId('queue').close();
	notify('The queue is answered so from now on.');
};
