import { isDataUri, readDataUri } from '../dataUri';
import { nonEmptyText, readKey } from '../json';
import { AddressRefused, openRoute } from './connection';
import type { Pieces } from './contentCoding';
import { hostOf, isLoopback, isPublicAddress } from './publicUrl';
import { roundTrip } from './roundTrip';

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
}

/**
 * Takes a file as its pieces come, and returns what became of it. Where the file breaks off, reading the pieces throws.
 * Nobody waits for it any more once the signal is aborted.
 */
export type TakeFile<T> = (pieces: Pieces) => Promise<T>;

const MAX_REDIRECTS = 5;

/** The answers that have the file: 203 is a 200 that a proxy on the way has changed, e.g. compressed (RFC 9110, 15.3.4). */
const IS_FILE = new Set([200, 203]);

/** Whether a URL may lead to a private address, because the service itself has one. */
function mayBeLocal(url: URL, ownOrigin: string | undefined): boolean {
	if (ownOrigin === undefined) return false;
	const own = new URL(ownOrigin);
	return hostOf(own) === hostOf(url) || (isLoopback(own) && isLoopback(url));
}

/**
 * Sends a GET without a token or a cookie, over a connection of its own.
 * @param takeBody takes the file, where it is one.
 * Source: docs/service-facts.md#attachments-received.
 */
async function get(
	url: URL,
	{ signal, ownOrigin, maxBytes }: DownloadOptions,
	takeBody: (pieces: Pieces) => Promise<void>,
) {
	if (url.protocol !== 'https:' && url.protocol !== 'http:') {
		throw new DownloadError(`${url.protocol} is not a protocol that files are fetched by`);
	}
	const local = mayBeLocal(url, ownOrigin);
	if (!local && isLoopback(url)) throw new AddressRefused(hostOf(url));
	return await roundTrip({
		method: 'GET',
		url,
		// Some hosts refuse a request that says not even this.
		headers: { accept: '*/*' },
		signal,
		maxBytes,
		takeBody,
		wantsBody: ({ status }) => IS_FILE.has(status),
		connect: async (ending) => await openRoute(url, local ? () => true : isPublicAddress, ending),
	});
}

function tooLarge(maxBytes: number): DownloadError {
	return new DownloadError(`the file is larger than ${maxBytes / 1024 / 1024} MB`);
}

async function* readEmbedded(uri: string, maxBytes: number): AsyncGenerator<Buffer> {
	const data = readDataUri(uri)?.data;
	if (!data) throw new DownloadError('the data URI cannot be read');
	if (data.length > maxBytes) throw tooLarge(maxBytes);
	yield data;
}

/**
 * Reads where a redirect leads. Node.js gives a header's bytes as latin1, and whatever they mean, the host wants them back:
 * those beyond ASCII are percent-encoded one by one. In a host name, the URL parser decodes them again.
 */
function redirectOf(location: string, url: URL): URL | undefined {
	const ascii = location.replace(
		/[\u0080-\u00ff]/g,
		(byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`,
	);
	return URL.canParse(ascii, url.href) ? new URL(ascii, url) : undefined;
}

async function follow<T>(
	url: URL,
	options: DownloadOptions,
	take: TakeFile<T>,
	redirectsLeft: number,
): Promise<T> {
	let taken: { result: T } | undefined;
	const { status, headers } = await get(url, options, async (pieces) => {
		taken = { result: await take(pieces) };
	});
	const { location } = headers;
	if (status >= 300 && status < 400 && location !== undefined) {
		if (redirectsLeft === 0) throw new DownloadError('there are too many redirects');
		const next = redirectOf(location, url);
		if (!next) throw new DownloadError('it redirects to what is no URL');
		if (url.protocol === 'https:' && next.protocol === 'http:') {
			throw new DownloadError('it redirects from https to http');
		}
		return await follow(next, options, take, redirectsLeft - 1);
	}
	if (!taken) throw new DownloadError(`the host answered with HTTP status ${status}`);
	return taken.result;
}

function downloadErrorOf(error: unknown, { signal, maxBytes }: DownloadOptions): DownloadError {
	if (error instanceof DownloadError) return error;
	if (signal.aborted) return new DownloadError('it took too long');
	if (readKey(error, 'code') === 'ANSWER_TOO_LONG') return tooLarge(maxBytes);
	return new DownloadError(nonEmptyText(readKey(error, 'message')) ?? 'it failed');
}

/**
 * Fetches a file whose URL somebody else chose, from the internet only. Loopback, private and link-local addresses are
 * refused, also after a redirect and behind a name. No more of the file is in memory than `take` keeps.
 * @param contentUrl an http or https URL, or the file itself as a data URI.
 * @param take takes the pieces of the file.
 * @returns what `take` returns.
 * @throws DownloadError whose message says why there is no file, also where `take` failed.
 * @example const bytes = await download(url, { maxBytes: 1024, signal, ownOrigin: undefined }, collect);
 */
export async function download<T>(
	contentUrl: string,
	options: DownloadOptions,
	take: TakeFile<T>,
): Promise<T> {
	const fetched = async (): Promise<T> => {
		if (isDataUri(contentUrl)) return await take(readEmbedded(contentUrl, options.maxBytes));
		if (!URL.canParse(contentUrl)) throw new DownloadError('the attachment has no URL that can be fetched');
		return await follow(new URL(contentUrl), options, take, MAX_REDIRECTS);
	};
	return await fetched().catch((error: unknown) => {
		throw downloadErrorOf(error, options);
	});
}
