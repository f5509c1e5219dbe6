import http from 'node:http';
import https from 'node:https';

/** What a post is made of. */
interface Post {
	/** Without content type and length, which are those of the body. */
	headers?: Record<string, string>;
	body: string;
	/** Default: JSON. */
	contentType?: string;
	/** Ends the post, and the reading of its answer. */
	signal: AbortSignal;
	/** The certificate to trust, PEM. Default: those that Node.js trusts. */
	ca?: string;
}

/**
 * Posts once. It does not keep the connection alive, and does not follow redirects.
 *
 * @param url http or https
 * @returns the answer, as soon as its status is there. The caller reads the body with {@link readText}, or calls `resume()`
 * @throws the error of the connection, or an AbortError when the signal fires first
 */
export function post(
	url: string,
	{ headers, body, contentType = 'application/json; charset=utf-8', signal, ca }: Post,
): Promise<http.IncomingMessage> {
	return new Promise((resolve, reject) => {
		const { request } = new URL(url).protocol === 'https:' ? https : http;
		const own = { 'content-type': contentType, 'content-length': String(Buffer.byteLength(body)) };
		request(
			url,
			{ method: 'POST', agent: false, signal, ca, headers: { ...headers, ...own } },
			(response) => {
				response.on('error', () => undefined);
				resolve(response);
			},
		)
			.on('error', reject)
			.end(body);
	});
}

/**
 * Reads the beginning of an answer's body.
 *
 * @param limitBytes what is longer is cut off there, and the connection is closed
 * @returns the text; what came until then where the connection broke
 */
export async function readText(response: http.IncomingMessage, limitBytes: number): Promise<string> {
	const chunks: Buffer[] = [];
	let size = 0;
	try {
		const bytes: AsyncIterable<Buffer> = response;
		for await (const chunk of bytes) {
			chunks.push(chunk);
			size += chunk.length;
			if (size >= limitBytes) break;
		}
	} catch {
		// What has come says enough.
	}
	return Buffer.concat(chunks).subarray(0, limitBytes).toString('utf8');
}
