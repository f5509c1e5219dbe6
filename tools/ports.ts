import { createServer, type AddressInfo, type Server } from 'node:net';

/**
 * Starts a server on this machine.
 * @param port 0 for any free port.
 * @returns the port.
 * @throws the listen error, e.g. with the code EADDRINUSE when the port is taken.
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

/** Stops a server. The connections of an HTTP server are closed; those of other servers are waited for. */
export async function close(server: Server & { closeAllConnections?: () => void }): Promise<void> {
	const closed = new Promise<void>((resolve) => server.close(() => resolve()));
	server.closeAllConnections?.();
	await closed;
}

/** Finds a port of 127.0.0.1 on which no server listens. @returns the port */
export async function closedPort(): Promise<number> {
	const server = createServer();
	const port = await listen(server);
	await close(server);
	return port;
}

/**
 * Finds a port that is free for IPv4 and for IPv6, since `localhost` may mean either.
 * @param preferred is returned if it is free; 0 for any port.
 * @returns the port.
 */
export async function freePort(preferred = 0): Promise<number> {
	for (const wanted of [preferred, 0, 0, 0]) {
		const port = await portIfFree(wanted, '127.0.0.1');
		if (port !== undefined && (await portIfFree(port, '::1')) !== undefined) return port;
	}
	return preferred;
}

/** Returns the port if a server could listen on it; undefined when it is taken. */
async function portIfFree(port: number, host: string): Promise<number | undefined> {
	const server = createServer();
	try {
		return await listen(server, port, host);
	} catch (error) {
		const { code = '' } = error as NodeJS.ErrnoException;
		// On a machine without IPv6, the port is free as well.
		return ['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(code) ? port : undefined;
	} finally {
		if (server.listening) await close(server);
	}
}
