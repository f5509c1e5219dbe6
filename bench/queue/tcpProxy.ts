import { connect, createServer, type Server, type Socket } from 'node:net';
import { close, listen } from '../../tools/ports';

/** Where a service listens. */
export interface Place {
	host: string;
	port: number;
}

/**
 * A port of this machine that leads to a service, or in turn to several of the same kind. It can be closed and opened
 * again: to those before it that is what a restart of the service looks like, without touching the service.
 */
export class TcpProxy {
	private readonly open = new Set<Socket>();
	private turn = 0;

	private constructor(
		private server: Server,
		/** Where it listens; the same after it was closed and opened again. */
		readonly place: Place,
		/** The targets of new connections; may be changed at any time. */
		public targets: Place[],
	) {}

	/** Starts one on a free port. */
	static async to(targets: Place[]): Promise<TcpProxy> {
		const server = createServer({ allowHalfOpen: true });
		const port = await listen(server);
		const proxy = new TcpProxy(server, { host: '127.0.0.1', port }, targets);
		server.on('connection', (socket) => proxy.forward(socket));
		return proxy;
	}

	/** Resets every connection, and refuses new ones until {@link open} is called. */
	async close(): Promise<void> {
		const closed = close(this.server);
		this.reset();
		await closed;
	}

	/** Accepts connections again, at the same port. */
	async reopen(): Promise<void> {
		this.server = createServer({ allowHalfOpen: true }, (socket) => this.forward(socket));
		await listen(this.server, this.place.port);
	}

	/** Resets every connection; new ones are accepted. */
	reset(): void {
		for (const socket of this.open) socket.resetAndDestroy();
	}

	/** Connects to the next target in turn; where that refuses, to the one after it, as a load balancer does. */
	private forward(client: Socket): void {
		this.keep(client);
		const inTurn = this.targets.map((_, index) => this.targets[(this.turn + index) % this.targets.length]!);
		this.turn++;
		const tryNext = () => {
			const target = inTurn.shift();
			if (!target || client.destroyed) return client.resetAndDestroy();
			const service = connect({ ...target, allowHalfOpen: true });
			service.once('error', tryNext);
			service.once('connect', () => {
				service.off('error', tryNext);
				this.keep(service);
				client.once('close', () => service.destroy());
				service.once('close', () => client.destroy());
				service.on('error', () => client.resetAndDestroy());
				client.on('error', () => service.resetAndDestroy());
				client.pipe(service).pipe(client);
			});
			return service;
		};
		tryNext();
	}

	private keep(socket: Socket): void {
		socket.setNoDelay(true);
		this.open.add(socket);
		socket.once('close', () => this.open.delete(socket));
		socket.on('error', () => undefined);
	}
}
