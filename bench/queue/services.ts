import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../tools/ports';
import { waitFor } from '../../tools/wait';
import type { Place } from './tcpProxy';

/** A PostgreSQL in which the bench may make a database of its own. */
export interface PostgresSettings extends Place {
	user: string;
	password: string;
	/** A database that exists; nothing is written into it. */
	database: string;
}

/** A Redis in which the bench may use keys with a prefix of its own. */
export interface RedisSettings extends Place {
	password: string;
	db: number;
}

/** The two services, by the environment variables that n8n itself has for them; at their standard ports without. */
export function servicesFrom(env: NodeJS.ProcessEnv): { postgres: PostgresSettings; redis: RedisSettings } {
	return {
		postgres: {
			host: env.DB_POSTGRESDB_HOST ?? '127.0.0.1',
			port: Number(env.DB_POSTGRESDB_PORT ?? 5432),
			user: env.DB_POSTGRESDB_USER ?? 'postgres',
			password: env.DB_POSTGRESDB_PASSWORD ?? '',
			database: env.DB_POSTGRESDB_DATABASE ?? 'postgres',
		},
		redis: {
			host: env.QUEUE_BULL_REDIS_HOST ?? '127.0.0.1',
			port: Number(env.QUEUE_BULL_REDIS_PORT ?? 6379),
			password: env.QUEUE_BULL_REDIS_PASSWORD ?? '',
			db: Number(env.QUEUE_BULL_REDIS_DB ?? 0),
		},
	};
}

/** The part of the package "pg" that is used here. */
interface Pool {
	query<Row>(text: string, values?: unknown[]): Promise<{ rows: Row[] }>;
	end(): Promise<void>;
	on(event: 'error', listener: () => void): void;
}

/** The part of the package "ioredis" that is used here. */
interface RedisClient {
	keys(pattern: string): Promise<string[]>;
	del(keys: string[]): Promise<number>;
	ping(): Promise<string>;
	disconnect(): void;
	on(event: 'error', listener: (error: Error) => void): void;
}

/** n8n's own clients of both, so that the bench needs none. */
const fromN8n = createRequire(join(__dirname, '../../tools/n8n/package.json'));

function poolTo(settings: PostgresSettings, max = 2): Pool {
	const { Pool } = fromN8n('pg') as { Pool: new (options: object) => Pool };
	const pool = new Pool({ ...settings, max, connectionTimeoutMillis: 5_000 });
	// A connection was idle while PostgreSQL restarted. The next query opens a new one.
	pool.on('error', () => undefined);
	return pool;
}

/** A database of the bench's own. */
export class Database {
	private constructor(
		private readonly pool: Pool,
		private readonly admin: PostgresSettings,
		readonly name: string,
	) {}

	/**
	 * @param connections how many queries may run side by side.
	 * @throws Error where PostgreSQL cannot be reached, saying how to have one.
	 */
	static async create(settings: PostgresSettings, name: string, connections?: number): Promise<Database> {
		const admin = poolTo(settings);
		try {
			await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
			await admin.query(`CREATE DATABASE ${name}`);
		} catch (error) {
			throw new Error(
				`There is no PostgreSQL to work with at ${settings.host}:${settings.port}. Start one (docker compose up -d --wait), or name yours: DB_POSTGRESDB_HOST, _PORT, _USER, _PASSWORD.`,
				{ cause: error },
			);
		} finally {
			await admin.end();
		}
		return new Database(poolTo({ ...settings, database: name }, connections), settings, name);
	}

	/** The rows of a query. */
	async rows<Row>(text: string, values?: unknown[]): Promise<Row[]> {
		return (await this.pool.query<Row>(text, values)).rows;
	}

	/** Removes it with all that is in it. */
	async drop(): Promise<void> {
		await this.pool.end();
		const admin = poolTo(this.admin);
		await admin.query(`DROP DATABASE IF EXISTS ${this.name} WITH (FORCE)`).finally(() => admin.end());
	}
}

function clientOf({ host, port, password, db }: RedisSettings): RedisClient {
	const { default: Redis } = fromN8n('ioredis') as { default: new (options: object) => RedisClient };
	const client = new Redis({
		host,
		port,
		db,
		...(password && { password }),
		maxRetriesPerRequest: 1,
		retryStrategy: () => null,
	});
	client.on('error', () => undefined);
	return client;
}

/** @throws Error where Redis cannot be reached, saying how to have one. */
export async function checkRedis(settings: RedisSettings): Promise<void> {
	const client = clientOf(settings);
	try {
		await client.ping();
	} catch (error) {
		throw new Error(
			`There is no Redis at ${settings.host}:${settings.port}. Start one (docker compose up -d --wait), or name yours: QUEUE_BULL_REDIS_HOST, _PORT, _PASSWORD, _DB.`,
			{ cause: error },
		);
	} finally {
		client.disconnect();
	}
}

/** Removes the keys that begin with a prefix of the bench's own. */
export async function removeKeys(settings: RedisSettings, prefix: string): Promise<void> {
	const client = clientOf(settings);
	const keys = await client.keys(`${prefix}*`).catch(() => []);
	if (keys.length > 0) await client.del(keys);
	client.disconnect();
}

/** A Redis of the bench's own, which may therefore be restarted. */
export class PrivateRedis {
	private child: ChildProcess | undefined;
	private readonly folder = mkdtempSync(join(tmpdir(), 'bench-redis-'));

	private constructor(
		readonly place: Place,
		private readonly appendOnly: boolean,
	) {}

	/** Whether this machine has a Redis to start. */
	static isThere(): boolean {
		try {
			execFileSync('redis-server', ['--version'], { stdio: 'ignore' });
			return true;
		} catch {
			return false;
		}
	}

	/** @param appendOnly whether it writes down what it holds (`appendonly yes`), or forgets it at its end. */
	static async start(appendOnly: boolean): Promise<PrivateRedis> {
		const redis = new PrivateRedis({ host: '127.0.0.1', port: await freePort(6390) }, appendOnly);
		process.once('exit', () => redis.child?.kill('SIGKILL'));
		await redis.start();
		return redis;
	}

	/** Kills it at once, and starts it again after a while with the data that it has stored. */
	async restart(downMs: number): Promise<void> {
		await this.end('SIGKILL');
		await new Promise((resolve) => setTimeout(resolve, downMs));
		await this.start();
	}

	/** Ends it for good. */
	async stop(): Promise<void> {
		await this.end('SIGTERM');
		rmSync(this.folder, { recursive: true, force: true });
	}

	private async start(): Promise<void> {
		const { host, port } = this.place;
		const options = {
			bind: host,
			port,
			save: '',
			appendonly: this.appendOnly ? 'yes' : 'no',
			dir: this.folder,
		};
		const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
		this.child = spawn('redis-server', args, { stdio: 'ignore' });
		await waitFor('Redis to answer', 10_000, () =>
			checkRedis({ ...this.place, password: '', db: 0 }).then(
				() => true,
				() => false,
			),
		);
	}

	private async end(signal: NodeJS.Signals): Promise<void> {
		const { child } = this;
		if (!child || child.exitCode !== null || child.signalCode !== null) return;
		const ended = new Promise((resolve) => child.once('exit', resolve));
		child.kill(signal);
		await ended;
	}
}
