import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { admit, identify, rememberedCount } from '../../../nodes/Dynamics365Messaging/webhook/duplicates';
import { movableClocks } from '../../support/clocks';

const MINUTE = 60_000;
let clocks: ReturnType<typeof movableClocks>;
const clock = (ms: number) => clocks.pass(ms);
beforeEach(() => void (clocks = movableClocks()));
afterEach(() => clocks.restore());

/** A delivery with an ID, answered 200. */
async function deliver(scope: string, id: string): Promise<string> {
	const response = new ServerResponse(new IncomingMessage(new Socket()));
	const admission = await admit(identify(scope, 'c', { id, type: 'message' }, ''), response);
	response.end();
	return admission;
}

test('deliveries of an hour ago are forgotten, also of a trigger that is idle', async () => {
	for (const id of ['1', '2', '3']) await deliver('quiet', id);
	clock(30 * MINUTE);
	expect(await deliver('busy', '1')).toBe('new');
	expect(rememberedCount()).toBe(4);
	clock(29 * MINUTE);
	expect(await deliver('quiet', '2')).toBe('duplicate');
	clock(MINUTE);
	expect(await deliver('busy', '2')).toBe('new');
	expect(rememberedCount()).toBe(2);
	clock(60 * MINUTE);
	expect(await deliver('busy', '3')).toBe('new');
	expect(rememberedCount()).toBe(1);
});

/** A delivery without an ID, answered 200 when its caller is gone. */
async function deliverUnheard(scope: string): Promise<string> {
	const response = new ServerResponse(new IncomingMessage(new Socket()));
	const admission = await admit(identify(scope, 'c', { id: null, type: 'message' }, 'ok'), response);
	response.emit('close');
	response.end();
	return admission;
}

test.each([-24 * 60, 48 * 60])(
	'a clock that is set by %i minutes makes neither a retry another message nor another message a retry',
	async (minutes) => {
		const scope = `set by ${minutes}`;
		expect(await deliver(scope, '1')).toBe('new');
		expect(await deliverUnheard(scope)).toBe('new');
		clocks.set(minutes * MINUTE);
		clock(MINUTE / 2);
		expect(await deliver(scope, '1')).toBe('duplicate');
		expect(await deliverUnheard(scope)).toBe('duplicate');
		clock(2 * MINUTE);
		expect(await deliverUnheard(scope)).toBe('new');
		clock(60 * MINUTE);
		expect(await deliver(scope, '1')).toBe('new');
	},
);
