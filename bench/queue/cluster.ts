import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { credentialFor } from '../../tools/emulatorCredentials';
import { makeRunFolder } from '../../tools/n8n/installation';
import { type N8n, type N8nProcess, startN8n, startProcess, type StartOptions } from '../../tools/n8n/n8n';
import { makeLongWorkTables } from '../../tools/n8n/longWork';
import { writeCertificateFile } from '../../tools/n8n/withN8n';
import { makeCredential, publishWorkflow } from '../../tools/n8n/workflows';
import { freePort } from '../../tools/ports';
import { startProxy } from '../../tools/proxy';
import { startEmulator, type Emulator, type FaultRule } from '../../emulator';
import { cpuMs } from '../process';
import { checkRedis, Database, removeKeys, servicesFrom } from './services';
import { TcpProxy } from './tcpProxy';

/** A process of n8n that may be ended and started again, as a supervisor does. */
export class Member {
	private life: N8nProcess | undefined;
	private kills = 0;

	constructor(
		readonly kind: 'webhook' | 'worker',
		readonly port: number,
		private readonly options: StartOptions,
	) {}

	/** How often it ended without having been asked to: n8n gives up by itself in some troubles. */
	endedByItself = 0;

	/** How often it was started. */
	starts = 0;

	/** Starts it, and from then on again whenever it ends by itself; returns when it is ready. */
	async start(): Promise<void> {
		const kills = this.kills;
		this.starts++;
		const life = await startProcess(this.kind, this.port, this.options);
		this.life = life;
		void life.died.then(() => this.revive(kills));
	}

	/** Restarts it until it keeps running, or until it is ended on purpose. */
	private async revive(kills: number): Promise<void> {
		for (let alive = false; !alive && this.kills === kills;) {
			this.endedByItself++;
			alive = await this.start().then(
				() => true,
				() => false,
			);
		}
	}

	/** The processor time since its start, seconds; NaN on systems other than Linux. */
	cpuSeconds(): number {
		const pid = this.life?.pid;
		if (pid === undefined) return 0;
		try {
			return cpuMs(pid) / 1000;
		} catch {
			return NaN;
		}
	}

	/** Kills it at once, as in a power failure. */
	async kill(): Promise<void> {
		this.kills++;
		await this.life?.kill();
		this.life = undefined;
	}

	/** Stops it. A worker finishes what it has begun. */
	async stop(): Promise<void> {
		this.kills++;
		await this.life?.stop();
		this.life = undefined;
	}
}

/** n8n in queue mode, with the service that it works with. */
export interface Cluster {
	emulator: Emulator;
	main: N8n;
	webhooks: Member[];
	workers: Member[];
	/** n8n's own database. */
	database: Database;
	/** The proxies between all processes and PostgreSQL and Redis. */
	proxies: { postgres: TcpProxy; redis: TcpProxy };
	/** Imports a workflow and puts it into production. @returns what takes it out again */
	publish: (id: string, workflow: object) => Promise<() => Promise<unknown>>;
	/** Directs deliveries to a trigger, through the proxy. @param path below n8n's `/webhook/` */
	leadTo: (path: string) => void;
	/** Has the service answer messages by these rules, and the rest as quickly as a service over the Internet does. */
	serviceAnswers: (rules: FaultRule[]) => void;
	/** The ids of n8n's credentials. */
	credentials: { dynamics365: string; postgres: string };
}

/** What rules about sending messages match. */
export const MESSAGES = { operationId: 'sendActivity' };
/** The emulator alone would answer before anything could happen to an execution that waits for it. */
export const SERVICE_MS = 300;

/** The settings of queue mode that docs/production.md advises, as the compose file of deploy/ has them. */
function advisedSettings(): NodeJS.ProcessEnv {
	const file = join(__dirname, '../../deploy/queue-mode/compose.yaml');
	const { 'x-environment': all } = parse(readFileSync(file, 'utf8'), { merge: true }) as {
		'x-environment': Record<string, string>;
	};
	return Object.fromEntries(
		Object.entries(all).filter(([name]) =>
			/^(EXECUTIONS_MODE|QUEUE_WORKER_|N8N_EXECUTIONS_QUEUE_|N8N_GRACEFUL_)/.test(name),
		),
	);
}

/**
 * Starts the emulator and n8n in queue mode (one main, two webhook processors, two workers) on PostgreSQL and Redis,
 * passes them to `use`, and removes everything, even if `use` throws.
 */
export async function onCluster<T>(use: (cluster: Cluster) => Promise<T>): Promise<T> {
	const cleanUp: Array<() => unknown> = [];
	try {
		return await use(await build(cleanUp));
	} finally {
		for (const undo of cleanUp.reverse()) await undo();
	}
}

async function build(cleanUp: Array<() => unknown>): Promise<Cluster> {
	const services = servicesFrom(process.env);
	await checkRedis(services.redis);
	const name = `n8n_bench_queue_${process.pid}`;
	const database = await Database.create(services.postgres, name);
	cleanUp.push(() => database.drop());
	cleanUp.push(() => removeKeys(services.redis, name));
	await makeLongWorkTables(database);
	const [postgresProxy, redisProxy] = [
		await TcpProxy.to([services.postgres]),
		await TcpProxy.to([services.redis]),
	];
	cleanUp.push(() => Promise.all([postgresProxy.close(), redisProxy.close()]));
	const emulator = await startEmulator({ port: 0, deskPort: 0 });
	// A process asks again when its token ends, which is not what is counted here.
	emulator.settings.tokenLifetimeSeconds = 86_400;
	cleanUp.push(() => emulator.close());

	const folderOf = (member: string) => {
		const folder = makeRunFolder(member);
		cleanUp.push(() => rmSync(folder, { recursive: true, force: true }));
		return folder;
	};
	const certificateFile = writeCertificateFile(emulator, folderOf('files'));
	const { user, password } = services.postgres;
	const postgres = { ...postgresProxy.place, user, password, database: name };
	const shared = {
		...advisedSettings(),
		EXECUTIONS_DATA_PRUNE: 'false',
		DB_TYPE: 'postgresdb',
		DB_POSTGRESDB_HOST: postgres.host,
		DB_POSTGRESDB_PORT: String(postgres.port),
		DB_POSTGRESDB_USER: user,
		DB_POSTGRESDB_PASSWORD: password,
		DB_POSTGRESDB_DATABASE: name,
		QUEUE_BULL_PREFIX: `${name}_bull`,
		N8N_REDIS_KEY_PREFIX: `${name}_n8n`,
		QUEUE_BULL_REDIS_HOST: redisProxy.place.host,
		QUEUE_BULL_REDIS_PORT: String(redisProxy.place.port),
		QUEUE_BULL_REDIS_PASSWORD: services.redis.password,
		QUEUE_BULL_REDIS_DB: String(services.redis.db),
		// The processes share a compile cache, as containers of one image do.
		NODE_COMPILE_CACHE: join(folderOf('compiled'), 'cache'),
		...(process.env.BENCH_PROFILES && {
			NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${process.env.BENCH_PROFILES}`,
		}),
	};
	const optionsFor = (member: string, env: NodeJS.ProcessEnv = {}): StartOptions => ({
		runFolder: folderOf(member),
		certificateFile,
		env: { ...shared, ...env },
	});

	// The first process starts alone, because it creates the tables that the others need.
	const main = await startN8n(optionsFor('main', { N8N_DISABLE_PRODUCTION_MAIN_PROCESS: 'true' }));
	cleanUp.push(() => main.stop());
	const members: Member[] = [];
	for (const [kind, count] of [['webhook', 2] as const, ['worker', 2] as const]) {
		for (let index = 0; index < count; index++) {
			const port = await freePort();
			const health = {
				QUEUE_HEALTH_CHECK_ACTIVE: 'true',
				QUEUE_HEALTH_CHECK_PORT: String(port),
				N8N_WORKER_SERVER_ADDRESS: '127.0.0.1',
			};
			members.push(new Member(kind, port, optionsFor(`${kind}-${index}`, kind === 'worker' ? health : {})));
		}
	}
	cleanUp.push(() => Promise.all(members.map((member) => member.stop())));
	await Promise.all(members.map((member) => member.start()));
	const webhooks = members.filter(({ kind }) => kind === 'webhook');
	const [one, other] = webhooks.map(({ port }) => `127.0.0.1:${port}`);
	const proxy = await startProxy('queue-mode', {
		N8N_MAIN: new URL(main.url).host,
		N8N_WEBHOOK_1: one ?? '',
		N8N_WEBHOOK_2: other ?? '',
	});
	cleanUp.push(() => proxy.stop());

	const serviceAnswers = (rules: FaultRule[]) =>
		(emulator.settings.faults = [...rules, { match: MESSAGES, action: { delayMs: SERVICE_MS } }]);
	serviceAnswers([]);
	return {
		emulator,
		main,
		webhooks,
		workers: members.filter(({ kind }) => kind === 'worker'),
		database,
		proxies: { postgres: postgresProxy, redis: redisProxy },
		serviceAnswers,
		credentials: {
			dynamics365: await makeCredential(main, 'dynamics365MessagingApi', credentialFor(emulator)),
			postgres: await makeCredential(main, 'postgres', { ...postgres, ssl: 'disable', sshTunnel: false }),
		},
		publish: async (id, workflow) => {
			await publishWorkflow(main, id, workflow);
			return async () => await main.rest('POST', `/workflows/${id}/deactivate`, {});
		},
		leadTo: (path) => emulator.setWebhookUrl(`${proxy.url}/webhook/${path}`),
	};
}
