import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect as tcpConnect, isIP, type Socket } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { decodedIfEncoded } from '../text';
import { proxyFor } from './proxy';
import { hostOf, whyNotOnInternet } from './publicUrl';
import type { Route } from './roundTrip';
import { USER_AGENT } from './userAgent';

/** The host of a URL, or what it leads to, may not be connected to. The message is in words for after a colon. */
export class AddressRefused extends Error {
	constructor(host: string) {
		super(`${host} is not an address on the internet`);
		this.name = 'AddressRefused';
	}
}

type IsAllowed = (address: string) => boolean;

async function lookUp(host: string): Promise<LookupAddress[]> {
	const family = isIP(host);
	if (family !== 0) return [{ address: host, family }];
	return await new Promise((resolve, reject) => {
		dnsLookup(host, { all: true }, (error, addresses) => (error ? reject(error) : resolve(addresses)));
	});
}

/**
 * Looks the host of a URL up and checks where it leads, also where a proxy looks it up again.
 * @returns undefined where only the proxy can look it up; then the name alone is checked.
 * @throws AddressRefused
 */
async function addressesOf(
	url: URL,
	proxy: URL | undefined,
	isAllowed: IsAllowed,
): Promise<LookupAddress[] | undefined> {
	const host = hostOf(url);
	const addresses = await lookUp(host).catch((error: unknown) => {
		if (!proxy) throw error;
		if (whyNotOnInternet(url) !== undefined) throw new AddressRefused(host);
		return undefined;
	});
	if (addresses?.every(({ address }) => isAllowed(address)) === false) throw new AddressRefused(host);
	return addresses;
}

function portOf(url: URL): number {
	return Number(url.port || (url.protocol === 'https:' ? 443 : 80));
}

/**
 * Sockets that a TLS socket has been put upon, which closes them when it is closed. To close one beneath it while Node.js
 * tells of the handshake ends the process with a fault of memory (Node.js 20), also where somebody else's URL has led to it.
 */
const beneathTls = new WeakSet<Socket>();

/** Waits until a socket is ready. It is closed where that fails, and when nobody waits any more. */
async function ready<S extends Socket>(socket: S, event: string, signal: AbortSignal): Promise<S> {
	// Without a listener, an error between two owners of the socket would end the process.
	socket.on('error', () => undefined);
	const close = () => {
		if (!beneathTls.has(socket)) socket.destroy();
	};
	signal.addEventListener('abort', close);
	await once(socket, event, { signal }).catch((error: unknown) => {
		close();
		throw error;
	});
	return socket;
}

/** How long an address may take to answer before the next one is tried; the last one may take the whole time. */
const ATTEMPT_TIMEOUT_MS = 1_000;

/** Connects to the first of the addresses that answers, and to no other. */
async function openTcp(url: URL, addresses: LookupAddress[], signal: AbortSignal): Promise<Socket> {
	const [first] = addresses;
	const socket = tcpConnect({
		host: hostOf(url),
		port: portOf(url),
		// n8n switches it off for its process, and then an address that is down would hide the next one.
		autoSelectFamily: true,
		autoSelectFamilyAttemptTimeout: ATTEMPT_TIMEOUT_MS,
		lookup: (_, { all }, callback) => {
			if (all) callback(null, addresses);
			else callback(null, first?.address ?? '', first?.family);
		},
	});
	return await ready(socket, 'connect', signal);
}

async function openTls(url: URL, socket: Socket, signal: AbortSignal): Promise<Socket> {
	const host = hostOf(url);
	beneathTls.add(socket);
	const secure = tlsConnect({
		socket,
		host,
		servername: isIP(host) === 0 ? host : undefined,
		ALPNProtocols: ['http/1.1'],
	});
	return await ready(secure, 'secureConnect', signal);
}

/** Connects to a proxy, which may be anywhere: n8n's administrator named it. */
async function openProxy(proxy: URL, signal: AbortSignal): Promise<Socket> {
	const socket = await openTcp(proxy, await lookUp(hostOf(proxy)), signal);
	return proxy.protocol === 'https:' ? await openTls(proxy, socket, signal) : socket;
}

/** The header with the user and the password of a proxy. */
function proxyHeaders({ username, password }: URL): Record<string, string> {
	if (username === '' && password === '') return {};
	const pair = [username, password].map(decodedIfEncoded).join(':');
	return { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` };
}

/** Has a proxy connect to the host of an https URL. */
async function openTunnel(proxy: URL, url: URL, socket: Socket): Promise<Socket> {
	const target = `${url.hostname}:${portOf(url)}`;
	const outgoing = httpRequest({
		method: 'CONNECT',
		path: target,
		headers: { host: target, 'user-agent': USER_AGENT, ...proxyHeaders(proxy) },
		createConnection: () => socket,
	});
	const answered = new Promise<IncomingMessage>((resolve, reject) => {
		outgoing.on('connect', resolve);
		outgoing.on('error', reject);
	});
	outgoing.end();
	const { statusCode: status = 0 } = await answered;
	// Each success opens the tunnel (RFC 9110, 9.3.6).
	if (status < 200 || status > 299) {
		socket.destroy();
		throw new Error(`the proxy lets no connection through (HTTP status ${status})`);
	}
	return socket;
}

/** Checks where a socket really leads. @throws AddressRefused, or an error where it has been closed already. */
function checkConnected(socket: Socket, url: URL, isAllowed: IsAllowed): void {
	const { remoteAddress } = socket;
	if (remoteAddress !== undefined && isAllowed(remoteAddress)) return;
	socket.destroy();
	if (remoteAddress !== undefined) throw new AddressRefused(hostOf(url));
	throw Object.assign(new Error('the host closed the connection at once'), { code: 'ECONNRESET' });
}

/**
 * Opens a connection for one request alone: neither is one reused that something else left, nor is it left to anything
 * else. What the host leads to is checked before anything is sent, by the look-up and by the address that is connected to.
 * Where n8n has a proxy, the connection leads through it, and the look-up alone is checked.
 * @param isAllowed whether an IP address may be connected to.
 * @throws AddressRefused, or what Node.js throws.
 */
export async function openRoute(url: URL, isAllowed: IsAllowed, signal: AbortSignal): Promise<Route> {
	const proxy = proxyFor(url);
	const addresses = await addressesOf(url, proxy, isAllowed);
	signal.throwIfAborted();
	if (proxy) {
		const socket = await openProxy(proxy, signal);
		if (url.protocol === 'http:') {
			const path = `${url.origin}${url.pathname}${url.search}`;
			return { socket, path, headers: proxyHeaders(proxy) };
		}
		return { socket: await openTls(url, await openTunnel(proxy, url, socket), signal) };
	}
	const socket = await openTcp(url, addresses ?? [], signal);
	checkConnected(socket, url, isAllowed);
	return { socket: url.protocol === 'https:' ? await openTls(url, socket, signal) : socket };
}
