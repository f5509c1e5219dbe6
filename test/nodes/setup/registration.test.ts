import type { IDataObject } from 'n8n-workflow';
import type { Probed } from '../../../nodes/Dynamics365Messaging/setup/probe';
import { triggerMark } from '../../../nodes/Dynamics365Messaging/setup/probe';
import {
	decide,
	type Decision,
	type Registration,
} from '../../../nodes/Dynamics365Messaging/setup/registration';
import { loadProcesses, MIDDLEWARE, World, type Fault } from '../../support/registrationWorld';

const INSTANCE = 'instance';
const OWN = 'https://n8n.example.com/webhook/a/b';
const FORMER = 'https://old.example.com/webhook/a/b';
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
	...[
		'https://n8n.example.com/webhook-test/a/b',
		'https://n8n.example.com/try/a/b',
		'https://n8n.example.com//webhook/a/b',
		'https://old.example.com/webhook/a/b/',
		'https://old.example.com/webhook/%61/b',
		'https://old.example.com/n8n/webhook/A/b',
		'https://elsewhere.example.com/webhook-test/x/y',
	].map((url): [string, string, Registration[], Probed, Decision] => [
		`an address of its own, or a test that has ended, is not put back: ${url}`,
		url,
		[kept(OWN, MIDDLEWARE)],
		NOT_FOUND,
		write(MIDDLEWARE),
	]),
	[
		'its former address at another path, which still leads to it',
		'https://example.com/hooks/mine',
		[],
		trigger(OWN),
		write(null),
	],
	[
		'a test of another n8n, whose editor listens',
		'https://elsewhere.example.com/webhook-test/x/y',
		[],
		trigger('https://elsewhere.example.com/webhook-test/x/y', 'other'),
		{ kind: 'taken' },
	],
	...[302, 401, 403, 429, 502, 503].map((status): [string, string, Registration[], Probed, Decision] => [
		`another trigger of its n8n, in whose place a proxy answers ${status}`,
		'https://n8n.example.com/webhook/c/d',
		[],
		{ kind: 'other', status },
		{ kind: 'unknown' },
	]),
	[
		'a middleware on its host, which refuses',
		'https://n8n.example.com/middleware/hook',
		[],
		{ kind: 'other', status: 401 },
		write('https://n8n.example.com/middleware/hook'),
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

describe('a write whose answer is lost', () => {
	const begin = async (faults: Fault[]) => {
		const world = new World(loadProcesses(2), { version: 1, testEndpoint: 'webhook-test' });
		world.faults = faults;
		const [one] = world.instances;
		const { process } = one!.n8n;
		const [place, outside] = [world.placeOf(0), world.outside(one!.n8n)];
		const given = world.triggerOf(one!, world.ownOf(one!), {});
		const error: unknown = await process.register(place, outside, given).catch((e: unknown) => e);
		const end = async (memory: IDataObject = given.memory) =>
			await process.unregister(place, outside, { ...given, memory });
		return { given, error, end, url: () => world.records[0]?.url };
	};

	test.each<[string, Fault]>([
		['and is looked for', 'lostAfter'],
		['and whose retry meets the new version', 'retried'],
	])('%s has registered the URL', async (_, fault) => {
		const { given, error, end, url } = await begin(['none', 'none', fault]);
		expect([error, url()]).toEqual([undefined, given.own]);
		await end();
		expect(url()).toBe(MIDDLEWARE);
	});

	test.each<[Fault, ...looks: Fault[]]>([
		['lostAfter', 'lostBefore'],
		['retried', 'lostBefore', 'lostBefore'],
	])('where the looks fail, too, keeps what stood there and says it (%s)', async (...faultsOfWrite) => {
		const { error, end, url } = await begin(['none', 'none', ...faultsOfWrite]);
		expect(error).toMatchObject({ description: expect.stringContaining(MIDDLEWARE) });
		await end();
		expect(url()).toBe(MIDDLEWARE);
	});

	test('where n8n does not keep what the trigger remembers, puts back what stood there all the same', async () => {
		const { given, end, url } = await begin(['none', 'none', 'lostAfter', 'lostBefore']);
		expect(url()).toBe(given.own);
		await end({});
		expect(url()).toBe(MIDDLEWARE);
	});
});
