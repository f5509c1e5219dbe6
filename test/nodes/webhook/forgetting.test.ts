import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { admit, identify, rememberedCount } from '../../../nodes/Dynamics365Messaging/webhook/duplicates';
import { REAL_TIMERS } from '../../support/timers';

const MINUTE = 60_000;
const clock = (ms: number) => jest.setSystemTime(Date.now() + ms);
beforeEach(() => void jest.useFakeTimers({ doNotFake: [...REAL_TIMERS] }));
afterEach(() => jest.useRealTimers());

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
