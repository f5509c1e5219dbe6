import { exec } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { StatusFault } from '../../emulator';
import { type Cluster, type Member, MESSAGES } from './cluster';
import type { TcpProxy } from './tcpProxy';
import { PrivateRedis } from './services';

/** A fault under load. */
export interface Fault {
	/** The fault, as the table names it. */
	name: string;
	/** What is away: a process of n8n that is killed, what n8n stores its work in, or the service that it calls. */
	kind: 'kill' | 'store' | 'service';
	/** Before the load begins. */
	prepare?: (cluster: Cluster) => Promise<void>;
	/** Causes the fault once, and recovers from it as a supervisor would. */
	strike: (cluster: Cluster, turn: number) => Promise<void>;
	/** Runs when n8n is idle again. */
	cleanUp?: (cluster: Cluster) => Promise<void>;
}

/** How long a restarted service is not available. */
const DOWN_MS = 3_000;
/** How long the service is busy. */
const BUSY_MS = 10_000;

async function killOne(members: Member[], turn: number): Promise<void> {
	const member = members[turn % members.length]!;
	await member.kill();
	await member.start();
}

async function away(proxy: TcpProxy): Promise<void> {
	await proxy.close();
	await pause(DOWN_MS);
	await proxy.reopen();
}

/** Restarts a service by the given command. Without one, all connections to it are cut for a while. */
async function restart(command: string | undefined, proxy: TcpProxy): Promise<void> {
	if (command === undefined) return await away(proxy);
	await promisify(exec)(command);
}

const workerKilled: Fault = {
	name: 'A worker killed (SIGKILL), and started again',
	kind: 'kill',
	strike: async ({ workers }, turn) => await killOne(workers, turn),
};

const webhookKilled: Fault = {
	name: 'A webhook processor killed (SIGKILL), and started again',
	kind: 'kill',
	strike: async ({ webhooks }, turn) => await killOne(webhooks, turn),
};

const postgresAway = (command: string | undefined): Fault => ({
	name: command
		? 'PostgreSQL restarted'
		: `PostgreSQL gone for ${DOWN_MS / 1000} s (connections reset, then refused)`,
	kind: 'store',
	strike: async ({ proxies }) => await restart(command, proxies.postgres),
});

const redisAway = (command: string | undefined): Fault => ({
	name: command ? 'Redis restarted' : `Redis gone for ${DOWN_MS / 1000} s (connections reset, then refused)`,
	kind: 'store',
	strike: async ({ proxies }) => await restart(command, proxies.redis),
});

/** Uses a Redis of the benchmark's own, to which n8n is directed meanwhile, because that of the machine may be in use. */
function redisKilled(appendOnly: boolean): Fault {
	let redis: PrivateRedis | undefined;
	let before: TcpProxy['targets'] = [];
	return {
		name: `Redis killed and started again, \`appendonly ${appendOnly ? 'yes' : 'no'}\``,
		kind: 'store',
		prepare: async ({ proxies }) => {
			redis = await PrivateRedis.start(appendOnly);
			before = proxies.redis.targets;
			proxies.redis.targets = [redis.place];
			proxies.redis.reset();
			await pause(5_000);
		},
		strike: async () => await redis?.restart(DOWN_MS),
		cleanUp: async ({ proxies }) => {
			proxies.redis.targets = before;
			proxies.redis.reset();
			await redis?.stop();
			await pause(5_000);
		},
	};
}

/** Half of all messages are answered so, for a while. */
function serviceAnswers(name: string, ...answers: [StatusFault, StatusFault]): Fault {
	return {
		name: `The service answers ${name} to half of all messages for ${BUSY_MS / 1000} s`,
		kind: 'service',
		strike: async (cluster) => {
			// The first rule applies to a quarter of all calls, the second one to a third of the rest.
			cluster.serviceAnswers([
				{ match: MESSAGES, action: answers[0], probability: 0.25 },
				{ match: MESSAGES, action: answers[1], probability: 1 / 3 },
			]);
			await pause(BUSY_MS);
			cluster.serviceAnswers([]);
		},
	};
}

const serviceBusy = serviceAnswers(
	'429 or 503, with Retry-After,',
	{ status: 429, retryAfter: 1 },
	{ status: 503, retryAfter: 1 },
);

const serviceSilent = serviceAnswers('503 without Retry-After', { status: 503 }, { status: 503 });

/**
 * The faults, in the order in which they are caused.
 * @param env BENCH_RESTART_REDIS and BENCH_RESTART_POSTGRES hold the commands by which those that n8n works with may
 * really be restarted.
 * @param only those whose name has this in it; all where it is empty.
 */
export function allFaults(short: boolean, env: NodeJS.ProcessEnv, only: string): Fault[] {
	if (short) return [workerKilled, serviceBusy];
	const all = [
		workerKilled,
		webhookKilled,
		redisAway(env.BENCH_RESTART_REDIS),
		...(PrivateRedis.isThere() ? [redisKilled(true), redisKilled(false)] : []),
		postgresAway(env.BENCH_RESTART_POSTGRES),
		serviceBusy,
		serviceSilent,
	];
	return all.filter(({ name }) => name.includes(only));
}
