import type { IDataObject } from 'n8n-workflow';
import type * as Probe from '../../nodes/Dynamics365Messaging/setup/probe';
import type * as Registrations from '../../nodes/Dynamics365Messaging/setup/registration';
import type * as Errors from '../../nodes/shared/transport/errors';

export const MIDDLEWARE = 'https://middleware.example.com/hook';
export const PERSON = 'https://person.example.com/';

/** What becomes of a call. `…After`: it was carried out. `retried`: its answer was lost, and the retry met the new version. */
export const FAULTS = [
	'none',
	'lostBefore',
	'lostAfter',
	'retried',
	'forbidden',
	'gone',
	'overtaken',
	'renamed',
	'killedBefore',
	'killedAfter',
] as const;
export type Fault = (typeof FAULTS)[number];

export type Step =
	| {
			what: 'activate' | 'deactivate' | 'publish' | 'restart' | 'listen' | 'stop';
			who: number;
			faults: Fault[];
	  }
	/** Its n8n gets another address, and is started again. */
	| { what: 'move'; who: number; faults: Fault[] }
	/** Its n8n ends without a word, and is started again. */
	| { what: 'kill'; who: number; faults: Fault[] }
	/** Its credential names another record; takes effect at the next activation. */
	| { what: 'change'; who: number; place: number }
	/** The database of its n8n is put in place of that of the other one: both have the instance's ID. */
	| { what: 'clone'; who: number; starts: boolean }
	/** A person writes a URL into a record: none, a middleware's, or that of a trigger in another spelling. */
	| { what: 'edit'; place: number; url: string | null }
	| { what: 'spell'; place: number; who: number; spelling: number };

class Killed extends Error {}

/** The code of one process of n8n, with what it remembers until it ends. */
type Process = Pick<typeof Registrations, 'register' | 'registerTest' | 'unregister' | 'unregisterTest'> &
	Pick<typeof Probe, 'triggerMark'> &
	Pick<typeof Errors, 'ServiceError'>;

/** @returns the code of so many processes, none of which knows what another remembers. */
export function loadProcesses(count: number): Process[] {
	return Array.from({ length: count }, () => {
		let loaded: Process | undefined;
		jest.isolateModules(() => {
			loaded = {
				...jest.requireActual<typeof Registrations>('../../nodes/Dynamics365Messaging/setup/registration'),
				...jest.requireActual<typeof Probe>('../../nodes/Dynamics365Messaging/setup/probe'),
				...jest.requireActual<typeof Errors>('../../nodes/shared/transport/errors'),
			};
		});
		if (!loaded) throw new Error('The code was not loaded');
		return loaded;
	});
}

/** How the n8ns of a world are: docs/service-facts.md#n8n-publishing, docs/service-facts.md#n8n-webhook-memory. */
export interface Kind {
	/** `N8N_ENDPOINT_WEBHOOK_TEST`. */
	testEndpoint: string;
	/** n8n 1 registers active triggers again when it starts, and forgets what a failed `create` remembered. n8n 2 does neither. */
	version: 1 | 2;
}

interface N8n {
	id: string;
	host: string;
	/** `N8N_ENDPOINT_WEBHOOK_TEST`. */
	testEndpoint: string;
	process: Process;
}

/** A trigger of a workflow. */
export interface Instance {
	n8n: N8n;
	/** Its webhook's ID and its node's ID: the same in a clone. */
	path: string;
	/** The record that its credential names. */
	place: number;
	/** The record that it named at the last activation. */
	registeredAt: number;
	isActive: boolean;
	/** Whether it is activated just now: n8n answers at its URL already. */
	isStarting: boolean;
	/** What n8n has stored. */
	stored: IDataObject;
	/** While the editor listens: what `create` wrote to the test's static data, and the record. */
	listening: { memory: IDataObject; place: number; isOwner: boolean } | undefined;
	/** By record, how many lines there were when it last had it rightly, by its URL or by that of its test. */
	said: Map<string, number>;
}

const PLACES = [
	['org', 'channel-0'],
	['org', 'channel-1'],
	// A copy of the environment has the same channels.
	['copy', 'channel-0'],
] as const;

let worlds = 0;

/** Two n8ns with two workflows each, and three channels' records. */
export class World {
	private readonly number = worlds++;
	private readonly fresh: Process[];
	private readonly n8ns: N8n[];
	readonly instances: Instance[];
	readonly records = [MIDDLEWARE, null, null as string | null].map((url) => ({ url, version: 1 }));
	readonly lines: string[] = [];
	faults: Fault[] = [];
	/** Is awaited before each call, so that a test decides in what order those of several steps are carried out. */
	beforeCall: () => Promise<void> = async () => await Promise.resolve();

	/** @param processes as many as the world may start: two, and one for each kill. */
	constructor(
		processes: Process[],
		private readonly kind: Kind,
	) {
		this.fresh = [...processes];
		const { testEndpoint } = kind;
		this.n8ns = ['one', 'two'].map((host) => ({ id: host, host, testEndpoint, process: this.newProcess() }));
		this.instances = this.n8ns.flatMap((n8n) =>
			['a/b', 'c/d'].map((path) => ({
				n8n,
				path,
				place: 0,
				registeredAt: 0,
				isActive: false,
				isStarting: false,
				stored: {},
				listening: undefined,
				said: new Map<string, number>(),
			})),
		);
	}

	private newProcess(): Process {
		const next = this.fresh.shift();
		if (!next) throw new Error('The world needs more processes');
		return next;
	}

	placeOf(index: number): { environmentUrl: string; channelId: string } {
		const [environment, channel] = PLACES[index] ?? PLACES[0];
		// Each world has channels of its own, as the processes remember those of others.
		return {
			environmentUrl: `https://${environment}.crm4.dynamics.com`,
			channelId: `${channel}-${this.number}`,
		};
	}

	ownOf({ n8n, path }: Instance): string {
		return `https://${n8n.host}.example.com/webhook/${path}`;
	}

	testOf({ n8n, path }: Instance): string {
		return `https://${n8n.host}.example.com/${n8n.testEndpoint}/${path}`;
	}

	private recordAt({ environmentUrl, channelId }: Registrations.Place): {
		url: string | null;
		version: number;
	} {
		const index = PLACES.findIndex(
			(_, at) => JSON.stringify(this.placeOf(at)) === JSON.stringify({ environmentUrl, channelId }),
		);
		const record = this.records[index];
		if (!record) throw new Error(`There is no ${environmentUrl} ${channelId}`);
		return record;
	}

	private edit(record: { url: string | null; version: number }, url: string | null): void {
		this.lines.push(`A person replaces ${record.url} by ${url} in ${this.records.indexOf(record)}`);
		record.url = url;
		record.version++;
	}

	/** What registering reaches outside of an n8n, with the faults of this world. */
	outside({ process }: N8n): Registrations.Outside {
		const fail = (message: string, httpCode: number | null, outcome: 'notSent' | 'uncertain') => {
			const code = httpCode === 404 ? '0x80040217' : null;
			return new process.ServiceError({ message, description: '', httpCode, code, outcome });
		};
		const before = (fault: Fault, isWrite: boolean) => {
			if (fault === 'killedBefore') throw new Killed();
			if (fault === 'lostBefore') throw fail('lost', null, isWrite ? 'uncertain' : 'notSent');
			if (fault === 'forbidden') throw fail('forbidden', 403, 'notSent');
			if (fault === 'gone') throw fail('gone', 404, 'notSent');
		};
		return {
			read: async (place) => {
				await this.beforeCall();
				const fault = this.faults.shift() ?? 'none';
				before(fault, false);
				if (fault === 'lostAfter') throw fail('lost', null, 'notSent');
				const { url, version } = this.recordAt(place);
				if (fault === 'killedAfter') throw new Killed();
				return { url, version: String(version) };
			},
			write: async (place, url, version) => {
				await this.beforeCall();
				const fault = this.faults.shift() ?? 'none';
				before(fault, true);
				const record = this.recordAt(place);
				if (fault === 'overtaken') this.edit(record, PERSON);
				if (fault === 'renamed') record.version++;
				if (version !== String(record.version)) throw fail('version', 412, 'notSent');
				record.url = url;
				record.version++;
				if (fault === 'killedAfter') throw new Killed();
				if (fault === 'lostAfter') throw fail('lost', null, 'uncertain');
				if (fault === 'retried') throw fail('version', 412, 'notSent');
			},
			probe: async (url) => {
				await this.beforeCall();
				const fault = this.faults.shift() ?? 'none';
				if (fault === 'killedBefore' || fault === 'killedAfter') throw new Killed();
				if (fault !== 'none') return { kind: 'unreachable', code: 'ECONNREFUSED' };
				return this.answerAt(url);
			},
		};
	}

	/** What answers a probe. */
	private answerAt(url: URL): Probe.Probed {
		for (const one of this.instances) {
			// An editor that listens goes on doing so.
			const urls = [
				one.isActive || one.isStarting ? this.ownOf(one) : undefined,
				one.listening && this.testOf(one),
			];
			const own = urls.find((own) => own !== undefined && isSamePlace(own, url.href));
			if (own === undefined) continue;
			const mark = one.n8n.process.triggerMark(one.n8n.id, own);
			return { kind: 'trigger', mark, signedDelivery: null };
		}
		return { kind: 'other', status: 404 };
	}

	/** Gives what registering needs to know of a trigger. */
	triggerOf({ n8n }: Instance, own: string, memory: IDataObject): Registrations.Trigger {
		const say = (level: string) => (message: string) => void this.lines.push(`${level} ${message}`);
		return { own, memory, instanceId: n8n.id, log: { info: say('info'), warn: say('warn') } };
	}

	/** Runs what n8n catches: what a service says, and what the input is. @returns whether it ended well. */
	private async tried(what: string, work: () => Promise<void>): Promise<boolean> {
		try {
			await work();
			return true;
		} catch (error) {
			if (!(error instanceof Error) || !['ServiceError', 'InputError'].includes(error.name)) throw error;
			const { description } = error as Error & { description: string };
			this.lines.push(`error ${what}: ${error.message}. ${description}`);
			return false;
		}
	}

	/** As n8n does: what a trigger remembers is stored when all has ended. */
	async activate(instance: Instance): Promise<void> {
		const place = this.placeOf(instance.place);
		const memory = structuredClone(instance.stored);
		const { n8n } = instance;
		let isWritten = false;
		instance.registeredAt = instance.place;
		const outside = this.outside(n8n);
		const write: Registrations.Outside['write'] = async (...change) => {
			isWritten = true;
			await outside.write(...change);
		};
		instance.isStarting = true;
		instance.isActive = await this.tried(
			`${this.ownOf(instance)} was not activated in ${place.channelId}`,
			async () =>
				await n8n.process.register(
					place,
					{ ...outside, write },
					this.triggerOf(instance, this.ownOf(instance), memory),
				),
		);
		instance.isStarting = false;
		if (instance.isActive || this.kind.version === 2) instance.stored = memory;
		if (instance.isActive) return;
		// The trigger looks at nothing where its activation was refused, and it remembers nothing.
		if (isWritten || Object.keys(instance.stored).length > 0) await this.deactivate(instance);
	}

	async deactivate(instance: Instance): Promise<void> {
		const memory = structuredClone(instance.stored);
		const { n8n } = instance;
		const trigger = this.triggerOf(instance, this.ownOf(instance), memory);
		await n8n.process.unregister(this.placeOf(instance.place), this.outside(n8n), trigger);
		instance.stored = memory;
		instance.isActive = false;
	}

	async listen(instance: Instance): Promise<void> {
		if (instance.listening) await this.stop(instance);
		const place = this.placeOf(instance.place);
		const memory: IDataObject = {};
		const { n8n } = instance;
		const isOwner = this.owners()[instance.place] === instance;
		instance.listening = { memory, place: instance.place, isOwner };
		const isListening = await this.tried(
			`${this.testOf(instance)} does not listen in ${place.channelId}`,
			async () =>
				await n8n.process.registerTest(
					place,
					this.outside(n8n),
					this.triggerOf(instance, this.testOf(instance), memory),
				),
		);
		if (!isListening) await this.stop(instance);
	}

	async stop(instance: Instance): Promise<void> {
		const { n8n, listening } = instance;
		if (!listening) return;
		const trigger = this.triggerOf(instance, this.testOf(instance), listening.memory);
		await n8n.process.unregisterTest(this.outside(n8n), trigger);
		instance.listening = undefined;
	}

	/** n8n ends without a word, and starts again: it activates what was active. */
	private async kill(n8n: N8n): Promise<void> {
		n8n.process = this.newProcess();
		const all = this.instances.filter((one) => one.n8n === n8n);
		for (const one of all.filter(({ listening }) => listening)) {
			this.lines.push(`n8n was killed while ${this.testOf(one)} listened`);
			one.listening = undefined;
		}
		await this.start(all);
	}

	private async start(all: Instance[]): Promise<void> {
		if (this.kind.version === 2) return;
		const active = all.filter(({ isActive }) => isActive);
		for (const one of active) one.isActive = false;
		for (const one of active) {
			one.isActive = true;
			await this.activate(one);
		}
	}

	private async clone(original: N8n, starts: boolean): Promise<void> {
		const [target] = this.n8ns.filter((one) => one !== original);
		if (!target) return;
		const copies = this.instances.filter(({ n8n }) => n8n === target);
		for (const copy of copies) await this.stop(copy);
		for (const copy of copies) if (copy.isActive) await this.deactivate(copy);
		target.id = original.id;
		for (const copy of copies) {
			const from = this.instances.find(({ n8n, path }) => n8n === original && path === copy.path);
			if (!from) continue;
			copy.stored = structuredClone(from.stored);
			copy.place = from.place;
			copy.registeredAt = from.registeredAt;
			copy.isActive = starts && from.isActive;
		}
		await this.start(copies);
	}

	async step(step: Step): Promise<void> {
		if (step.what === 'edit') {
			const record = this.records[step.place];
			if (record) this.edit(record, step.url);
			return;
		}
		const instance = this.instances[step.who];
		if (!instance) return;
		if (step.what === 'spell') {
			const record = this.records[step.place];
			if (record) this.edit(record, spellings(this.ownOf(instance))[step.spelling] ?? null);
			return;
		}
		if (step.what === 'change') return void (instance.place = step.place);
		if (step.what === 'clone') return await this.clone(instance.n8n, step.starts);
		this.faults = [...step.faults];
		const { isActive } = instance;
		const all = this.instances.filter(({ n8n }) => n8n === instance.n8n);
		try {
			if (step.what === 'listen') await this.listen(instance);
			if (step.what === 'stop') await this.stop(instance);
			if (step.what === 'deactivate' && isActive) await this.deactivate(instance);
			if (step.what === 'publish' && isActive) await this.deactivate(instance);
			if (step.what === 'activate' || step.what === 'publish') await this.activate(instance);
			if (step.what === 'kill') await this.kill(instance.n8n);
			if (step.what === 'restart' || step.what === 'move') {
				for (const one of all) await this.stop(one);
				if (step.what === 'move') instance.n8n.host += '-moved';
				await this.start(all);
			}
		} catch (error) {
			if (!(error instanceof Killed)) throw error;
			this.faults = [];
			for (const one of all) one.isStarting = false;
			this.lines.push(
				`n8n was killed during ${step.what} of ${this.ownOf(instance)} or ${this.testOf(instance)}`,
			);
			instance.isActive = isActive && step.what !== 'deactivate' ? true : isActive;
			await this.kill(instance.n8n);
		}
		this.faults = [];
	}

	/** By record, the active trigger that has it: by its URL, or by that of the test for which it gave way. */
	owners(): Array<Instance | undefined> {
		return this.records.map(({ url }, place) =>
			this.instances.find(
				(one) =>
					one.isActive &&
					one.registeredAt === place &&
					(url === this.ownOf(one) ||
						(one.listening?.place === place && one.listening.isOwner && url === this.testOf(one))),
			),
		);
	}

	/**
	 * What holds a record without a word, lost it so, or would put its own URL back; without a fault, a record is lost to a
	 * person only.
	 * @param owners what {@link owners} gave before the step.
	 * @param said how many lines there were then.
	 */
	check(owners: Array<Instance | undefined>, step: Step, said: number): string[] {
		const lines = this.lines.slice(said);
		const isQuiet =
			'faults' in step && step.faults.length === 0 && step.what !== 'move' && step.what !== 'kill';
		const now = this.owners();
		const ownAsPrevious = this.instances.flatMap((one) => {
			const text = JSON.stringify(one.stored).toLowerCase().replace(/%62/g, 'b').replace(/%64/g, 'd');
			const isIn = [...text.matchAll(/"previous":"([^"]+)"/g)].some(([, url]) => url?.includes(one.path));
			return isIn ? [`${this.ownOf(one)} would put itself back: ${text}`] : [];
		});
		const found = this.records.flatMap(({ url }, place) => {
			const names = (own: string) => (line: string) => line.split(/[\s,.:;]+(?=\s|$)|\s/).includes(own);
			const before = owners[place];
			const isLost = before?.isActive === true && before.registeredAt === place && now[place] !== before;
			const isSaidLost =
				before &&
				!isQuiet &&
				lines.some((line) => [this.ownOf(before), this.testOf(before)].some((own) => names(own)(line)));
			const kept = this.instances.flatMap((one) =>
				[
					{ own: this.ownOf(one), isRight: one.isActive && one.registeredAt === place },
					{ own: this.testOf(one), isRight: one.listening?.place === place },
				].flatMap(({ own, isRight }) => {
					if (url === null || !isSamePlace(own, url)) return [];
					const key = `${own} ${place}`;
					if (isRight) one.said.set(key, this.lines.length);
					const isSaid = this.lines
						.slice(one.said.get(key))
						.some((line) => !line.startsWith('info') && (names(own)(line) || names(url)(line)));
					return isRight || isSaid ? [] : [`${own} keeps ${place}, but nothing is there`];
				}),
			);
			return [
				...(isLost && !isSaidLost ? [`${this.ownOf(before)} lost ${place}, which has ${url}`] : []),
				...kept,
			];
		});
		return [...ownAsPrevious, ...found];
	}
}

/** Whether the same is at two URLs, as n8n and the proxy before it route them: slashes are merged. */
function isSamePlace(one: string, other: string): boolean {
	const at = (text: string) => {
		const { host, pathname } = new URL(text);
		return `${host} ${decodeURIComponent(pathname).replace(/\/+/g, '/').replace(/\/$/, '')}`;
	};
	return at(one) === at(other);
}

/** A URL as people write it: at each of them the same trigger answers. */
export function spellings(url: string): string[] {
	const { host, pathname } = new URL(url);
	return [
		`https://${host.toUpperCase()}:443${pathname}`,
		`${url}/`,
		`https://${host}/${pathname}`,
		url.replace('/b', '/%62').replace('/d', '/%64'),
		`https://me:%ff@${host}${pathname}`,
	];
}
