import { createServer, type AddressInfo, type Server } from 'node:net';

/**
 * Has a server listen on this machine.
 * @param port the wanted one; 0 for any that is free.
 * @returns the port.
 * @throws Error where it cannot, as when somebody else has the port.
 */
export async function listen(server: Server, port = 0, host = '127.0.0.1'): Promise<number> {
	await new Promise<void>((resolve, reject) => {
		server.once('error', reject);
		server.listen(port, host, () => {
			server.off('error', reject);
			resolve();
		});
	});
	// With a port, the address of a server is never a string or null.
	return (server.address() as AddressInfo).port;
}

/** Stops a server, and ends what is still connected to one of HTTP. */
export async function close(server: Server & { closeAllConnections?: () => void }): Promise<void> {
	const closed = new Promise<void>((resolve) => server.close(() => resolve()));
	server.closeAllConnections?.();
	await closed;
}

/** A port of 127.0.0.1 on which nobody listens. */
export async function closedPort(): Promise<number> {
	const server = createServer();
	const port = await listen(server);
	await close(server);
	return port;
}

/** The preferred port if it is free, else any that is: for IPv6 too, since `localhost` may mean either. */
export async function freePort(preferred = 0): Promise<number> {
	for (const wanted of [preferred, 0, 0, 0]) {
		const port = await portIfFree(wanted, '127.0.0.1');
		if (port !== undefined && (await portIfFree(port, '::1')) !== undefined) return port;
	}
	return preferred;
}

/** The port on which it could listen; undefined where somebody else does. */
async function portIfFree(port: number, host: string): Promise<number | undefined> {
	const server = createServer();
	try {
		return await listen(server, port, host);
	} catch (error) {
		const { code = '' } = error as NodeJS.ErrnoException;
		// A machine without IPv6 has nobody there either.
		return ['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(code) ? port : undefined;
	} finally {
		if (server.listening) await close(server);
	}
}
