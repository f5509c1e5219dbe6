import fc from 'fast-check';
import type { IDataObject } from 'n8n-workflow';
import type { Probed } from '../../../nodes/Dynamics365Messaging/setup/probe';
import { triggerMark } from '../../../nodes/Dynamics365Messaging/setup/probe';
import {
	decide,
	register,
	unregister,
	type Decision,
	type Outside,
	type Registration,
	type Trigger,
} from '../../../nodes/Dynamics365Messaging/setup/registration';
import { InputError, ServiceError } from '../../../nodes/shared/transport/errors';

const INSTANCE = 'instance';
const OWN = 'https://n8n.example.com/webhook/a/b';
const FORMER = 'https://old.example.com/webhook/a/b';
const MIDDLEWARE = 'https://middleware.example.com/hook';
const PLACE = { environmentUrl: 'https://org.crm4.dynamics.com', channelId: 'channel-1' };

const kept = (own: string, previous: string | null): Registration => ({ ...PLACE, own, previous });
const trigger = (own: string, instanceId = INSTANCE): Probed => ({
	kind: 'trigger',
	mark: triggerMark(instanceId, own),
	signedDelivery: null,
});
const NOT_FOUND: Probed = { kind: 'other', status: 404 };
const UNREACHABLE: Probed = { kind: 'unreachable', code: 'ECONNREFUSED' };
const write = (previous: string | null): Decision => ({ kind: 'write', previous });

test.each<[string, string | null, Registration[], Probed | undefined, Decision]>([
	['an empty record', null, [], undefined, write(null)],
	['its own URL', OWN, [], undefined, { kind: 'keep' }],
	[
		'its own URL in another spelling',
		`${OWN.toUpperCase().replace('/WEBHOOK/A/B', '/webhook/%61/b')}/`,
		[],
		undefined,
		{ kind: 'keep' },
	],
	['what is no trigger', MIDDLEWARE, [], NOT_FOUND, write(MIDDLEWARE)],
	['what does not answer', MIDDLEWARE, [], UNREACHABLE, write(MIDDLEWARE)],
	['what is no URL', 'n8n', [], undefined, write('n8n')],
	[
		'another trigger',
		'https://n8n.example.com/webhook/c/d',
		[],
		trigger('https://n8n.example.com/webhook/c/d'),
		{ kind: 'taken' },
	],
	[
		'another trigger of its n8n, which cannot be asked',
		'https://n8n.example.com/webhook/c/d',
		[],
		UNREACHABLE,
		{ kind: 'unknown' },
	],
	[
		'another trigger of its n8n, which is not active',
		'https://n8n.example.com/webhook/c/d',
		[],
		NOT_FOUND,
		write('https://n8n.example.com/webhook/c/d'),
	],
	[
		'its former address, where nothing is',
		FORMER,
		[kept(FORMER, MIDDLEWARE)],
		UNREACHABLE,
		write(MIDDLEWARE),
	],
	[
		'its former address, which still leads to it',
		FORMER,
		[kept(FORMER, MIDDLEWARE)],
		trigger(OWN),
		write(MIDDLEWARE),
	],
	['its former address, of which it has no memory', FORMER, [], NOT_FOUND, write(null)],
	['a clone with the same instance ID that runs', FORMER, [], trigger(FORMER), { kind: 'taken' }],
	[
		'the original of its copied memory, which runs',
		FORMER,
		[kept(FORMER, MIDDLEWARE)],
		trigger(FORMER),
		{ kind: 'taken' },
	],
	[
		'the original of its copied memory, in another n8n',
		FORMER,
		[kept(FORMER, MIDDLEWARE)],
		trigger(FORMER, 'other'),
		{ kind: 'taken' },
	],
	[
		'a duplicated workflow’s original in the same n8n',
		'https://n8n.example.com/webhook/c/d',
		[kept('https://n8n.example.com/webhook/c/d', null)],
		trigger('https://n8n.example.com/webhook/c/d'),
		{ kind: 'taken' },
	],
	[
		'a user with a broken escape',
		'https://%ff@host.example/',
		[],
		NOT_FOUND,
		write('https://%ff@host.example/'),
	],
])('%s', (_, present, memory, found, decision) => {
	expect(decide(present, { own: OWN, instanceId: INSTANCE }, memory, found)).toEqual(decision);
});

/**
 * A search over what can happen to registrations: triggers that are activated, deactivated, moved, cloned and killed, in
 * channels that others write to as well, with a service that loses calls and answers. Whatever the order, no inactive
 * trigger keeps a channel, and no active one loses it, without a line that says so.
 */
const SEED = Number(process.env.REGISTRATIONS_SEED ?? 20_261_129);
const COUNT = Number(process.env.REGISTRATIONS ?? 3_000);

/** What becomes of a call. `…After`: it was carried out. `retried`: its answer was lost, and the retry met the new version. */
type Fault =
	| 'none'
	| 'lostBefore'
	| 'lostAfter'
	| 'retried'
	| 'forbidden'
	| 'gone'
	| 'overtaken'
	| 'renamed'
	| 'unasked'
	| 'killedBefore'
	| 'killedAfter';

type Step =
	| { what: 'activate' | 'deactivate' | 'publish' | 'restart'; who: number; faults: Fault[] }
	/** The n8n gets another address, and is started again. */
	| { what: 'move'; who: number; faults: Fault[] }
	/** Its credential names the other channel; takes effect at the next activation. */
	| { what: 'change'; who: number }
	/** The database of one n8n is put in place of another's, which was stopped: both have the instance's ID. */
	| { what: 'clone'; who: number }
	| { what: 'edit'; channel: number; url: string | null };

class Killed extends Error {}

/** A trigger in an n8n of its own. */
interface Instance {
	id: string;
	host: string;
	channel: number;
	/** Whether n8n answers at its URL. */
	isActive: boolean;
	/** What n8n has stored. */
	stored: IDataObject;
	/** By channel, how many lines there were when it last had it as its own. */
	said: number[];
}

const placeOf = (channel: number) => ({ ...PLACE, channelId: `channel-${channel}` });

class World {
	readonly instances: Instance[] = ['one', 'two', 'three'].map((host) => ({
		id: host,
		host,
		channel: 0,
		isActive: false,
		stored: {},
		said: [0, 0],
	}));
	readonly records = [MIDDLEWARE, null].map((url) => ({ url, version: 1 }));
	readonly lines: string[] = [];
	faults: Fault[] = [];

	ownOf({ host }: Instance): string {
		// The nodes' IDs are the same in a clone, as are those of a workflow's copy.
		return `https://${host}.example.com/webhook/a/b`;
	}

	private set(channel: number, url: string | null): void {
		const record = this.records[channel];
		if (!record) return;
		record.url = url;
		record.version++;
	}

	edit(channel: number, url: string | null): void {
		const lost = this.records[channel]?.url;
		this.set(channel, url);
		this.lines.push(`A person replaces ${lost} of channel-${channel}`);
	}

	outside(): Outside {
		const fail = (message: string, httpCode: number | null, outcome: 'notSent' | 'uncertain') =>
			new ServiceError({ message, description: '', httpCode, outcome });
		const isUp = ({ host }: URL) =>
			this.instances.find((one) => one.isActive && new URL(this.ownOf(one)).host === host);
		const channelOf = ({ channelId }: { channelId: string }) => Number(channelId.slice('channel-'.length));
		const before = (fault: Fault, isWrite: boolean) => {
			if (fault === 'killedBefore') throw new Killed();
			if (fault === 'lostBefore') throw fail('lost', null, isWrite ? 'uncertain' : 'notSent');
			if (fault === 'forbidden') throw fail('forbidden', 403, 'notSent');
			if (fault === 'gone') throw fail('gone', 404, 'notSent');
		};
		return {
			read: async (place) => {
				const fault = this.faults.shift() ?? 'none';
				before(fault, false);
				if (fault === 'lostAfter') throw fail('lost', null, 'notSent');
				const { url, version } = this.records[channelOf(place)]!;
				if (fault === 'killedAfter') throw new Killed();
				return { url, version: String(version) };
			},
			write: async (place, url, version) => {
				const fault = this.faults.shift() ?? 'none';
				before(fault, true);
				const channel = channelOf(place);
				if (fault === 'overtaken') this.edit(channel, 'https://person.example.com/');
				if (fault === 'renamed') this.set(channel, this.records[channel]?.url ?? null);
				if (version !== String(this.records[channel]?.version)) throw fail('version', 412, 'notSent');
				this.set(channel, url);
				if (fault === 'killedAfter') throw new Killed();
				if (fault === 'lostAfter') throw fail('lost', null, 'uncertain');
				if (fault === 'retried') throw fail('version', 412, 'notSent');
			},
			probe: async (url) => {
				const fault = this.faults.shift() ?? 'none';
				if (fault === 'killedBefore' || fault === 'killedAfter') throw new Killed();
				if (fault !== 'none') return UNREACHABLE;
				const up = isUp(url);
				return up ? trigger(this.ownOf(up), up.id) : NOT_FOUND;
			},
		};
	}

	private triggerOf(instance: Instance, memory: IDataObject): Trigger {
		const say = (level: string) => (message: string) => void this.lines.push(`${level} ${message}`);
		const own = this.ownOf(instance);
		return { own, memory, instanceId: instance.id, log: { info: say('info'), warn: say('warn') } };
	}

	/** As n8n does: what a trigger remembers is stored when all has ended. */
	private async stored(instance: Instance, work: (trigger: Trigger) => Promise<void>): Promise<void> {
		const memory = structuredClone(instance.stored);
		await work(this.triggerOf(instance, memory));
		instance.stored = memory;
	}

	async activate(instance: Instance): Promise<void> {
		const place = placeOf(instance.channel);
		try {
			await this.stored(instance, async (one) => await register(place, this.outside(), one));
			instance.isActive = true;
		} catch (error) {
			if (error instanceof Killed) throw error;
			if (!(error instanceof ServiceError || error instanceof InputError)) throw error;
			this.lines.push(`${this.ownOf(instance)} was not activated in ${place.channelId}: ${error.message}`);
			await this.deactivate(instance);
		}
	}

	async deactivate(instance: Instance): Promise<void> {
		const place = placeOf(instance.channel);
		await this.stored(instance, async (one) => await unregister(place, this.outside(), one));
		instance.isActive = false;
	}

	async step(step: Step): Promise<void> {
		if (step.what === 'edit') return this.edit(step.channel, step.url);
		const instance = this.instances[step.who]!;
		if (step.what === 'change') return void (instance.channel = 1 - instance.channel);
		if (step.what === 'clone') {
			const original = this.instances[(step.who + 1) % this.instances.length]!;
			if (instance.isActive) await this.deactivate(instance);
			instance.stored = structuredClone(original.stored);
			Object.assign(instance, { id: original.id, channel: original.channel });
			return;
		}
		this.faults = [...step.faults];
		const { isActive } = instance;
		if (step.what === 'move' && isActive) {
			instance.isActive = false;
			instance.host = `${instance.host}-moved`;
		}
		try {
			if (step.what === 'deactivate' && isActive) await this.deactivate(instance);
			if (step.what === 'publish' && isActive) await this.deactivate(instance);
			if (step.what === 'activate' || step.what === 'publish') await this.activate(instance);
			if ((step.what === 'restart' || step.what === 'move') && isActive) await this.activate(instance);
		} catch (error) {
			if (!(error instanceof Killed)) throw error;
			this.faults = [];
			// n8n starts again, with what it had stored: an activation that had not ended is not tried again.
			if (isActive) await this.activate(instance);
			else
				this.lines.push(
					`n8n was killed while it activated ${this.ownOf(instance)} in channel-${instance.channel}`,
				);
		}
		this.faults = [];
	}

	/** What holds a channel without a word, or lost it so; a channel is lost without a fault to a person only. */
	check(owners: Array<Instance | undefined>, step: Step, said: number): string[] {
		const lines = this.lines.slice(said);
		const isQuiet = 'faults' in step && step.faults.length === 0;
		return this.records.flatMap(({ url }, channel) => {
			for (const one of this.instances)
				if (one.isActive && one.channel === channel && url === this.ownOf(one))
					one.said[channel] = this.lines.length;
			const before = owners[channel];
			const isLost = before?.isActive === true && before.channel === channel && url !== this.ownOf(before);
			const says = (own: string) => (line: string) =>
				line.includes(own) && line.includes(`channel-${channel}`);
			const isSaidLost = before && !isQuiet && lines.some(says(this.ownOf(before)));
			const keeps = this.instances.find((one) => !one.isActive && this.ownOf(one) === url);
			const isSaidKept = this.lines
				.slice(keeps?.said[channel])
				.some((line) => keeps && !line.startsWith('info') && says(this.ownOf(keeps))(line));
			return [
				...(isLost && !isSaidLost ? [`${this.ownOf(before)} lost channel-${channel}, which has ${url}`] : []),
				...(keeps && !isSaidKept ? [`${url}, not active, keeps channel-${channel}`] : []),
			];
		});
	}

	/** By channel, the active trigger that has it. */
	owners(): Array<Instance | undefined> {
		return this.records.map(({ url }, channel) =>
			this.instances.find((one) => one.isActive && one.channel === channel && this.ownOf(one) === url),
		);
	}
}

const FAULTS: Fault[] = [
	'none',
	'lostBefore',
	'lostAfter',
	'retried',
	'forbidden',
	'gone',
	'overtaken',
	'renamed',
	'unasked',
	'killedBefore',
	'killedAfter',
];
const faults = fc.oneof(
	{ weight: 2, arbitrary: fc.constant([]) },
	{ weight: 3, arbitrary: fc.array(fc.constantFrom<Fault>('none', ...FAULTS), { maxLength: 5 }) },
);
const who = fc.nat({ max: 2 });
const steps = fc.oneof(
	{
		weight: 8,
		arbitrary: fc.record({
			what: fc.constantFrom('activate', 'activate', 'deactivate', 'publish', 'restart', 'move'),
			who,
			faults,
		}),
	},
	{ weight: 2, arbitrary: fc.record({ what: fc.constantFrom('change', 'clone'), who }) },
	{
		weight: 1,
		arbitrary: fc.record({
			what: fc.constant('edit'),
			channel: fc.nat({ max: 1 }),
			url: fc.constantFrom(null, 'https://person.example.com/'),
		}),
	},
) as fc.Arbitrary<Step>;

test(`of ${COUNT} orders of events none has a trigger keep or lose a channel without a word`, async () => {
	process.stdout.write(
		`The registrations' seed is ${SEED}; REGISTRATIONS_SEED=… takes another one, REGISTRATIONS=100000 tries more.\n`,
	);
	await fc.assert(
		fc.asyncProperty(fc.array(steps, { minLength: 2, maxLength: 9 }), async (all) => {
			const world = new World();
			for (const step of all) {
				const [owners, said] = [world.owners(), world.lines.length];
				await world.step(step);
				const found = world.check(owners, step, said);
				if (found.length > 0) throw new Error([...found, ...world.lines].join('\n'));
			}
		}),
		{ seed: SEED, numRuns: COUNT },
	);
}, 600_000);

test('without faults and people, all records are in the end as they were, wherever triggers were moved to', async () => {
	const quiet = fc.record({
		what: fc.constantFrom('activate', 'activate', 'deactivate', 'publish', 'restart', 'move'),
		who,
		faults: fc.constant([]),
	});
	const change = fc.record({ what: fc.constant('change'), who });
	const any = fc.oneof(
		{ weight: 5, arbitrary: quiet },
		{ weight: 1, arbitrary: change },
	) as fc.Arbitrary<Step>;
	await fc.assert(
		fc.asyncProperty(fc.array(any, { minLength: 2, maxLength: 9 }), async (all) => {
			const world = new World();
			for (const step of all) await world.step(step);
			for (const one of world.instances) if (one.isActive) await world.deactivate(one);
			expect([world.records.map(({ url }) => url), world.lines]).toEqual([[MIDDLEWARE, null], world.lines]);
		}),
		{ seed: SEED, numRuns: COUNT / 10 },
	);
}, 600_000);

describe('a write whose answer is lost', () => {
	const begin = async (faults: Fault[]) => {
		const world = new World();
		world.faults = faults;
		const [one] = world.instances;
		const memory: IDataObject = {};
		const say = { info: () => undefined, warn: () => undefined };
		const given: Trigger = { own: world.ownOf(one!), memory, instanceId: one!.id, log: say };
		const error: unknown = await register(placeOf(0), world.outside(), given).catch((e: unknown) => e);
		return { world, given, error, url: () => world.records[0]?.url };
	};

	test.each<[string, Fault]>([
		['and is looked for', 'lostAfter'],
		['and whose retry meets the new version', 'retried'],
	])('%s has registered the URL', async (_, fault) => {
		const { world, given, error, url } = await begin(['none', 'none', fault]);
		expect([error, url()]).toEqual([undefined, given.own]);
		await unregister(placeOf(0), world.outside(), given);
		expect(url()).toBe(MIDDLEWARE);
	});

	test.each<[Fault, ...looks: Fault[]]>([
		['lostAfter', 'lostBefore'],
		['retried', 'lostBefore', 'lostBefore'],
	])('where the looks fail, too, keeps what stood there and says it (%s)', async (...faultsOfWrite) => {
		const { world, given, error, url } = await begin(['none', 'none', ...faultsOfWrite]);
		expect(error).toMatchObject({ description: expect.stringContaining(MIDDLEWARE) });
		await unregister(placeOf(0), world.outside(), given);
		expect(url()).toBe(MIDDLEWARE);
	});

	test('where n8n does not keep what the trigger remembers, leaves no inactive trigger in the record', async () => {
		const { world, given, url } = await begin(['none', 'none', 'lostAfter', 'lostBefore']);
		expect(url()).toBe(given.own);
		await unregister(placeOf(0), world.outside(), { ...given, memory: {} });
		expect(url()).toBeNull();
	});
});
