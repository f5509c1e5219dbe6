import type { IDataObject } from 'n8n-workflow';
import { triggerMark, type Probed } from '../../../nodes/Dynamics365Messaging/setup/probe';
import {
	register,
	registerTest,
	unregister,
	unregisterTest,
	type Outside,
	type Trigger,
} from '../../../nodes/Dynamics365Messaging/setup/registration';
import { ServiceError } from '../../../nodes/shared/transport/errors';

const MIDDLEWARE = 'https://middleware.example.com/hook';

/** A channel's record, and two workflows of one n8n, each with the URL when it is active and that of a test. */
class Desk {
	url: string | null = MIDDLEWARE;
	isDown = false;
	/** The URLs at which an active trigger answers. */
	active = new Set<string>();
	/** What answers in n8n's place where it cannot call itself. */
	inPlaceOfN8n: Probed | undefined;
	lines: string[] = [];
	readonly place = { environmentUrl: 'https://org.crm4.dynamics.com', channelId: `channel-${Math.random()}` };
	private readonly memories = new Map<string, IDataObject>();

	readonly outside: Outside = {
		read: async () => {
			if (this.isDown) throw new ServiceError({ message: 'Down', description: 'Wait.', outcome: 'notSent' });
			return await Promise.resolve({ url: this.url, version: '1' });
		},
		write: async (_, url) => await Promise.resolve(void (this.url = url)),
		probe: async (url): Promise<Probed> => {
			if (this.inPlaceOfN8n) return this.inPlaceOfN8n;
			const mark = triggerMark('instance', url.href);
			return await Promise.resolve(
				this.active.has(url.href)
					? { kind: 'trigger', mark, signedDelivery: null }
					: { kind: 'other', status: 404 },
			);
		},
	};

	static urlOf = (who: string, endpoint = 'webhook') => `https://n8n.example.com/${endpoint}/${who}/node`;

	private trigger(own: string, memory: IDataObject): Trigger {
		const log = (line: string) => void this.lines.push(line);
		return { own, memory, instanceId: 'instance', log: { info: log, warn: log } };
	}

	private live(who: string): Trigger {
		const memory = this.memories.get(who) ?? {};
		this.memories.set(who, memory);
		return this.trigger(Desk.urlOf(who), memory);
	}

	async publish(who: string): Promise<void> {
		await register(this.place, this.outside, this.live(who));
		this.active.add(Desk.urlOf(who));
	}

	async deactivate(who: string): Promise<void> {
		await unregister(this.place, this.outside, this.live(who));
		this.active.delete(Desk.urlOf(who));
	}

	/** Begins to listen. @returns what ends it. */
	async listen(who: string, endpoint = 'webhook-test'): Promise<() => Promise<void>> {
		const trigger = this.trigger(Desk.urlOf(who, endpoint), {});
		await registerTest(this.place, this.outside, trigger);
		return async () => await unregisterTest(this.outside, trigger);
	}
}

const [A, B] = [Desk.urlOf('a'), Desk.urlOf('b')];

test.each(['webhook-test', 'try'])(
	'a second test of one trigger, before the first has ended (%s)',
	async (endpoint) => {
		for (const order of [
			[0, 1],
			[1, 0],
		]) {
			const desk = new Desk();
			await desk.publish('a');
			// As where the editor is loaded again while it listens, and Execute step is clicked again.
			const ends = [await desk.listen('a', endpoint), await desk.listen('a', endpoint)];
			for (const index of order) await ends[index]!();
			expect(desk.url).toBe(A);
			await desk.deactivate('a');
			expect(desk.url).toBe(MIDDLEWARE);
		}
	},
);

test('two editors that listen on one channel, in whatever order they end', async () => {
	for (const order of [
		[0, 1],
		[1, 0],
	]) {
		const desk = new Desk();
		const ends = [await desk.listen('a'), await desk.listen('b')];
		for (const index of order) await ends[index]!();
		expect(desk.url).toBe(MIDDLEWARE);
	}
});

test('an editor does not take the channel of an active workflow, also where another one has it for a test', async () => {
	const desk = new Desk();
	await desk.publish('a');
	const end = await desk.listen('a');
	await expect(desk.listen('b')).rejects.toThrow(A);
	await expect(desk.publish('b')).rejects.toThrow(A);
	await end();
	expect(desk.url).toBe(A);
});

test.each<Probed>([
	{ kind: 'unreachable', code: 'ECONNREFUSED' },
	...[302, 401, 403, 503].map((status) => ({ kind: 'other', status }) as const),
])(
	'an editor does not take it either where n8n cannot call itself to see whether it is active: %j',
	async (found) => {
		const desk = new Desk();
		await desk.publish('a');
		desk.inPlaceOfN8n = found;
		await expect(desk.listen('b')).rejects.toThrow('cannot call itself');
		expect(desk.url).toBe(A);
		const end = await desk.listen('a');
		await end();
		expect(desk.url).toBe(A);
	},
);

test('what stood there is known again after a test whose end could not be written', async () => {
	const desk = new Desk();
	await desk.publish('a');
	const end = await desk.listen('a');
	desk.isDown = true;
	await end();
	desk.isDown = false;
	expect(desk.lines.at(-1)).toMatch(new RegExp(`could not put back the webhook URL ${A}`));
	await (
		await desk.listen('a')
	)();
	expect(desk.url).toBe(A);
});

test('a workflow that is deactivated during its test leaves what stood there before it', async () => {
	const desk = new Desk();
	await desk.publish('a');
	const end = await desk.listen('a');
	await desk.deactivate('a');
	expect(desk.url).toBe(MIDDLEWARE);
	await end();
	expect(desk.url).toBe(MIDDLEWARE);
});

test.each(['webhook-test', 'try'])('a workflow that is published during a test (%s)', async (endpoint) => {
	const desk = new Desk();
	const end = await desk.listen('a', endpoint);
	await desk.publish('a');
	expect(desk.url).toBe(A);
	await end();
	expect(desk.url).toBe(A);
	const again = await desk.listen('a', endpoint);
	// As n8n does when it starts: it activates what was active.
	await desk.publish('a');
	await again();
	expect(desk.url).toBe(A);
	await desk.deactivate('a');
	expect(desk.url).toBe(MIDDLEWARE);
	await desk.publish('b');
	expect(desk.url).toBe(B);
});

const FOREIGN = 'https://elsewhere.example.com/webhook-test/x/node';

test.each(['publish', 'listen'] as const)(
	'%s does not take a channel for which another n8n’s editor listens, nor its trigger’s',
	async (what) => {
		const desk = new Desk();
		desk.url = FOREIGN;
		desk.active.add(FOREIGN);
		await expect(desk[what]('a')).rejects.toMatchObject({
			message: `An editor of another n8n listens for a test event of this channel: ${FOREIGN}`,
			description: expect.stringContaining('when that has ended'),
		});
		// The end of that test could not be written, and its trigger is active.
		desk.active = new Set([FOREIGN.replace('-test', '')]);
		await expect(desk[what]('a')).rejects.toMatchObject({
			message: `Another active workflow has this channel: ${FOREIGN.replace('-test', '')}`,
		});
		expect(desk.url).toBe(FOREIGN);
		// Nothing is there any more.
		desk.active.clear();
		await desk[what]('a');
		expect(desk.url).toBe(Desk.urlOf('a', what === 'listen' ? 'webhook-test' : 'webhook'));
	},
);

test.each(['webhook-test', 'try'])(
	'a test URL that is left from a test which n8n forgot is not put back (%s)',
	async (endpoint) => {
		const desk = new Desk();
		desk.url = Desk.urlOf('a', endpoint);
		await (
			await desk.listen('a', endpoint)
		)();
		expect(desk.url).toBeNull();
		desk.url = Desk.urlOf('a', endpoint);
		await desk.publish('a');
		await desk.deactivate('a');
		expect(desk.url).toBeNull();
	},
);

test('a test whose own trigger is active is given its URL back, also where n8n forgot the test before', async () => {
	const desk = new Desk();
	desk.url = Desk.urlOf('a', 'webhook-test');
	desk.active.add(A);
	await (
		await desk.listen('a')
	)();
	expect(desk.url).toBe(A);
});

test('an editor listens where the record has another address of its trigger, and puts that back', async () => {
	const desk = new Desk();
	desk.url = 'https://old.example.com/webhook/a/node';
	const { probe } = desk.outside;
	desk.outside.probe = async (url) =>
		url.host === 'old.example.com'
			? { kind: 'trigger', mark: triggerMark('instance', A), signedDelivery: null }
			: await probe(url);
	const end = await desk.listen('a');
	await end();
	expect(desk.url).toBe('https://old.example.com/webhook/a/node');
});

test('what is not given back, as somebody changed it, is said with what stood there before', async () => {
	const desk = new Desk();
	await desk.publish('a');
	const end = await desk.listen('a');
	desk.url = 'https://me:geheim@person.example.com/';
	await end();
	const says = (before: string) => `to https://me:***@person.example.com/. Before, it was ${before}`;
	expect(desk.lines.at(-1)).toContain(says(A));
	await desk.deactivate('a');
	expect(desk.lines.at(-1)).toContain(says(MIDDLEWARE));
	expect(desk.url).toBe('https://me:geheim@person.example.com/');
	// Nothing is remembered any more, and nothing more is said.
	const { length } = desk.lines;
	await desk.deactivate('a');
	expect(desk.lines).toHaveLength(length);
});

test('a clone with another credential leaves the channel of its original, which does not answer just now', async () => {
	const desk = new Desk();
	const original = 'https://prod.example.com/webhook/a/node';
	const memory: IDataObject = {
		dynamics365MessagingWebhook: [{ ...desk.place, own: original, previous: MIDDLEWARE }],
	};
	const lines: string[] = [];
	const log = { info: () => undefined, warn: (line: string) => void lines.push(line) };
	const trigger: Trigger = { own: A, memory, instanceId: 'instance', log };
	const other = { ...desk.place, channelId: 'another' };
	const urls = new Map<string, string | null>([[desk.place.channelId, original]]);
	let found: Probed = { kind: 'other', status: 502 };
	const outside: Outside = {
		read: async ({ channelId }) => await Promise.resolve({ url: urls.get(channelId) ?? null, version: '1' }),
		write: async ({ channelId }, url) => await Promise.resolve(void urls.set(channelId, url)),
		probe: async () => await Promise.resolve(found),
	};
	await register(other, outside, trigger);
	expect([...urls.values()]).toEqual([original, A]);
	expect(lines).toEqual([expect.stringContaining(`active at ${original}`)]);
	found = { kind: 'unreachable', code: 'ETIMEDOUT' };
	await unregister(other, outside, trigger);
	expect([...urls.values()]).toEqual([original, null]);
	// Where n8n says that nothing is there, what was before is put back.
	found = { kind: 'other', status: 404 };
	await register(other, outside, trigger);
	expect([...urls.values()]).toEqual([MIDDLEWARE, A]);
});

test('a channel that was deleted is forgotten with a line; one that cannot be found just now is not', async () => {
	const desk = new Desk();
	await desk.publish('a');
	const { read } = desk.outside;
	const answers = (code: string | null) => async () =>
		await Promise.reject(
			new ServiceError({
				message: 'Not found',
				description: 'Look.',
				httpCode: 404,
				code,
				outcome: 'notSent',
			}),
		);
	desk.outside.read = answers(null);
	await desk.deactivate('a');
	expect(desk.lines.at(-1)).toMatch(/could not put back .*: Not found$/);
	desk.outside.read = answers('0x80040217');
	await desk.deactivate('a');
	expect(desk.lines.at(-1)).toMatch(/could not put back .*: The channel is not there any more/);
	desk.outside.read = read;
	const { length } = desk.lines;
	desk.url = MIDDLEWARE;
	await desk.deactivate('a');
	expect(desk.lines).toHaveLength(length);
});

test('of more channels than are remembered, the oldest is let go with a line', async () => {
	const desk = new Desk();
	const lines: string[] = [];
	const log = { info: () => undefined, warn: (line: string) => void lines.push(line) };
	const trigger: Trigger = { own: A, memory: {}, instanceId: 'instance', log };
	const outside: Outside = {
		read: async ({ channelId }) => {
			if (channelId !== 'channel-11')
				throw new ServiceError({ message: 'Refused', description: '', httpCode: 403, outcome: 'notSent' });
			return await Promise.resolve({ url: `https://middleware.example.com/${channelId}`, version: '1' });
		},
		write: async () => await Promise.resolve(),
		probe: async () => await Promise.resolve({ kind: 'other', status: 404 }),
	};
	const memory = Array.from({ length: 10 }, (_, index) => ({
		...desk.place,
		channelId: `channel-${10 - index}`,
		own: A,
		previous: `https://middleware.example.com/channel-${10 - index}`,
	}));
	trigger.memory = { dynamics365MessagingWebhook: memory };
	await register({ ...desk.place, channelId: 'channel-11' }, outside, trigger);
	const told = lines.filter((line) => line.includes('does not try any more'));
	expect(told.length).toBeGreaterThan(0);
	for (const line of told)
		expect(line).toMatch(/middleware\.example\.com\/channel-1 of channel channel-1, .* https:/);
});

test('what stood there is remembered where an activation and the look after it failed', async () => {
	const desk = new Desk();
	const { write } = desk.outside;
	desk.outside.write = async (...given) => {
		await write(...given);
		desk.isDown = true;
		throw new ServiceError({ message: 'Lost', description: '', outcome: 'uncertain' });
	};
	await expect(desk.publish('a')).rejects.toThrow('Lost');
	// n8n drops what the activation remembered, and deactivates the trigger.
	const after: Trigger = {
		own: A,
		memory: {},
		instanceId: 'instance',
		log: { info: () => undefined, warn: () => undefined },
	};
	await unregister(desk.place, desk.outside, after);
	Object.assign(desk, { isDown: false });
	desk.outside.write = write;
	await unregister(desk.place, desk.outside, after);
	expect([desk.url, after.memory]).toEqual([MIDDLEWARE, {}]);
});

const overtakenError = () =>
	new ServiceError({
		message: 'Somebody else changed or deleted the record',
		description: 'Look at it and try again.',
		httpCode: 412,
	});

/** A desk whose record somebody else changes between the look at it and the write. */
function overtaken(change: (desk: Desk) => void): Desk {
	const desk = new Desk();
	desk.outside.write = async () => {
		change(desk);
		throw await Promise.resolve(overtakenError());
	};
	return desk;
}

test.each([
	['another editor', Desk.urlOf('b', 'webhook-test'), Desk.urlOf('b', 'webhook-test')],
	['somebody who empties it', null, '(none)'],
	['whose URL has a password', 'https://me:geheim@example.com/', 'https://me:***@example.com/'],
])('a test that is overtaken by %s says what the record has now', async (_, url, shown) => {
	const desk = overtaken((one) => void (one.url = url));
	const error: unknown = await desk.listen('a').catch((thrown: unknown) => thrown);
	expect(error).toMatchObject({
		message: `The webhook URL of the channel was changed at the same moment. It is now ${shown}`,
		description: expect.stringContaining('listen again'),
	});
	expect(desk.url).toBe(url);
});

test.each<['publish' | 'listen', string]>([
	['publish', Desk.urlOf('a')],
	['listen', Desk.urlOf('a', 'webhook-test')],
])('%s writes again where the record was changed, but not its URL', async (what, url) => {
	const desk = new Desk();
	const { write } = desk.outside;
	const versions: Array<string | undefined> = [];
	desk.outside.write = async (...[place, given, version]) => {
		versions.push(version);
		if (versions.length < 3) throw overtakenError();
		await write(place, given, version);
	};
	await desk[what]('a');
	expect([desk.url, versions.length]).toEqual([url, 3]);
});

test('a record that is changed again and again is given up, and says so', async () => {
	const desk = overtaken(() => undefined);
	await expect(desk.publish('a')).rejects.toMatchObject({
		message: `The webhook URL of the channel was changed at the same moment. It is now ${MIDDLEWARE}`,
	});
	expect(desk.lines).toHaveLength(1);
});

test('a workflow that is published while another takes the channel is told which URL it has now', async () => {
	const desk = overtaken((one) => void (one.url = Desk.urlOf('b')));
	await expect(desk.publish('a')).rejects.toMatchObject({
		message: `The webhook URL of the channel was changed at the same moment. It is now ${Desk.urlOf('b')}`,
		description: expect.stringContaining('Publish again'),
	});
});

test('a test of which nobody knows whether it has the record says what stood there', async () => {
	const desk = overtaken((one) => void (one.isDown = true));
	const error: unknown = await desk.listen('a').catch((thrown: unknown) => thrown);
	expect(error).toMatchObject({ description: expect.stringContaining(`Before, it had ${MIDDLEWARE}`) });
});

test('a test leaves a line of what it replaced, should n8n be killed', async () => {
	const desk = new Desk();
	await desk.listen('a');
	expect(desk.lines).toEqual([expect.stringContaining(`replaces the webhook URL ${MIDDLEWARE}`)]);
});

test('nor is a password in the trigger’s own URL, which n8n has from WEBHOOK_URL', async () => {
	const desk = new Desk();
	const lines: string[] = [];
	const log = (line: string) => void lines.push(line);
	const own = 'https://user:geheim@n8n.example.com/webhook/a/node';
	const trigger: Trigger = { own, memory: {}, instanceId: 'instance', log: { info: log, warn: log } };
	await register(desk.place, desk.outside, trigger);
	desk.isDown = true;
	await unregister(desk.place, desk.outside, trigger);
	desk.isDown = false;
	desk.url = 'https://person.example.com/';
	await unregister(desk.place, desk.outside, trigger);
	await registerTest(desk.place, desk.outside, { ...trigger, own: own.replace('webhook', 'webhook-test') });
	expect(lines).toHaveLength(4);
	expect(lines.join()).toContain('https://user:***@n8n.example.com/webhook/a/node');
	expect(lines.join()).not.toContain('geheim');
});

test('a password in the URL that stood there is in no line, and is put back', async () => {
	const desk = new Desk();
	desk.url = 'https://user:geheim@middleware.example.com/hook';
	await desk.publish('a');
	await desk.deactivate('a');
	const end = await desk.listen('a');
	await end();
	expect(desk.url).toBe('https://user:geheim@middleware.example.com/hook');
	expect(desk.lines).toHaveLength(4);
	expect(desk.lines.join()).not.toContain('geheim');
	expect(desk.lines.join()).toContain('https://user:***@middleware.example.com/hook');
});
