import { lookup as dnsLookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { isDataUri, readDataUri } from '../dataUri';
import { readKey, textOf } from '../json';
import { hostOf, isLoopback, isPublicAddress } from './publicUrl';

/** Why a file could not be fetched, in words for the person who reads the item. */
class DownloadError extends Error {
	constructor(reason: string) {
		super(reason);
		this.name = 'DownloadError';
	}
}

export interface DownloadOptions {
	/** Bytes. */
	maxBytes: number;
	/** Ends the download. */
	signal: AbortSignal;
	/** The service's origin: where it is on this machine or in a private network, files may be there too. */
	ownOrigin: string | undefined;
	/** Is called with the length of each piece before it is kept. Where it throws, the download ends with its error. */
	onBytes?: (bytes: number) => void;
}

const MAX_REDIRECTS = 5;

/** Whether a URL may lead to a private address, because the service itself has one. */
function mayBeLocal(url: URL, ownOrigin: string | undefined): boolean {
	if (ownOrigin === undefined) return false;
	const own = new URL(ownOrigin);
	return hostOf(own) === hostOf(url) || (isLoopback(own) && isLoopback(url));
}

type LookupCallback = (
	error: NodeJS.ErrnoException | null,
	address: string | LookupAddress[],
	family?: number,
) => void;

/**
 * Looks a name up and accepts public addresses only. The socket connects to the addresses that this returns, so a name
 * cannot pass the check and then change its address.
 */
function publicLookup(hostname: string, options: LookupOptions, callback: LookupCallback): void {
	dnsLookup(hostname, { ...options, all: true }, (error, addresses) => {
		if (error) return callback(error, []);
		if (!addresses.every(({ address }) => isPublicAddress(address))) {
			return callback(new DownloadError(`${hostname} is not an address on the internet`), []);
		}
		const [first] = addresses;
		if (options.all) callback(null, addresses);
		else callback(null, first?.address ?? '', first?.family);
	});
}

/**
 * Sends a GET without a token or a cookie. The body of the answer is still to be read.
 * Source: docs/service-facts.md#attachments-received.
 */
async function open(url: URL, { signal, ownOrigin }: DownloadOptions): Promise<IncomingMessage> {
	if (url.protocol !== 'https:' && url.protocol !== 'http:') {
		throw new DownloadError(`${url.protocol} is not a protocol that files are fetched by`);
	}
	const local = mayBeLocal(url, ownOrigin);
	const host = hostOf(url);
	// Node.js does not look up a URL whose host is an IP address, so publicLookup would not see it.
	if (!local && ((isIP(host) !== 0 && !isPublicAddress(host)) || isLoopback(url))) {
		throw new DownloadError(`${host} is not an address on the internet`);
	}
	const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
	return await new Promise((resolve, reject) => {
		const outgoing = request(url, { method: 'GET', signal, ...(!local && { lookup: publicLookup }) });
		outgoing.on('response', resolve);
		outgoing.on('error', reject);
		outgoing.end();
	});
}

function tooLarge(maxBytes: number): DownloadError {
	return new DownloadError(`the file is larger than ${maxBytes / 1024 / 1024} MB`);
}

async function readAll(answer: IncomingMessage, { maxBytes, onBytes }: DownloadOptions): Promise<Buffer> {
	const chunks: Buffer[] = [];
	let bytes = 0;
	for await (const chunk of answer as AsyncIterable<Buffer>) {
		bytes += chunk.length;
		// Leaving the loop destroys the answer, so the rest is not read.
		if (bytes > maxBytes) throw tooLarge(maxBytes);
		onBytes?.(chunk.length);
		chunks.push(chunk);
	}
	return Buffer.concat(chunks);
}

function readEmbedded(uri: string, { maxBytes, onBytes }: DownloadOptions): Buffer {
	const data = readDataUri(uri)?.data;
	if (!data) throw new DownloadError('the data URI cannot be read');
	if (data.length > maxBytes) throw tooLarge(maxBytes);
	onBytes?.(data.length);
	return data;
}

async function follow(url: URL, options: DownloadOptions, redirectsLeft: number): Promise<Buffer> {
	const answer = await open(url, options);
	const status = answer.statusCode ?? 0;
	const { location } = answer.headers;
	if (status >= 300 && status < 400 && location !== undefined) {
		answer.destroy();
		if (redirectsLeft === 0) throw new DownloadError('there are too many redirects');
		const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
		if (!next) throw new DownloadError('it redirects to what is no URL');
		if (url.protocol === 'https:' && next.protocol === 'http:') {
			throw new DownloadError('it redirects from https to http');
		}
		return await follow(next, options, redirectsLeft - 1);
	}
	if (status !== 200) {
		answer.destroy();
		throw new DownloadError(`the host answered with HTTP status ${status}`);
	}
	return await readAll(answer, options);
}

function downloadErrorOf(error: unknown, signal: AbortSignal): DownloadError {
	if (error instanceof DownloadError) return error;
	if (signal.aborted) return new DownloadError('it took too long');
	return new DownloadError(textOf(readKey(error, 'message')) ?? 'it failed');
}

/**
 * Fetches a file whose URL somebody else chose, from the internet only. Loopback, private and link-local addresses are
 * refused, also after a redirect and behind a name.
 * @param contentUrl an http or https URL, or the file itself as a data URI.
 * @returns the bytes of the file.
 * @throws DownloadError whose message says why there is no file.
 */
export async function download(contentUrl: string, options: DownloadOptions): Promise<Buffer> {
	if (isDataUri(contentUrl)) return readEmbedded(contentUrl, options);
	if (!URL.canParse(contentUrl)) throw new DownloadError('the attachment has no URL that can be fetched');
	return await follow(new URL(contentUrl), options, MAX_REDIRECTS).catch((error: unknown) => {
		throw downloadErrorOf(error, options.signal);
	});
}
