/** One path segment whose percent-encoding is broken gets it encoded again, so that it decodes to what was written. */
function readableSegment(segment: string): string {
	try {
		decodeURIComponent(segment);
		return segment;
	} catch {
		return segment.replaceAll('%', '%25');
	}
}

/**
 * Makes a path readable whose percent-encoding is broken, such as `/conversation/%ff`: the segment then decodes to what
 * was written, `%ff`. So each service refuses it as it refuses any other wrong value there, in its own form. That the
 * services read a path so is inferred from their platform, ASP.NET, which leaves such signs as they are.
 *
 * @param path a path, with or without a query, which stays as it is
 */
export function readablePath(path: string): string {
	const query = path.indexOf('?');
	const end = query < 0 ? path.length : query;
	return path.slice(0, end).split('/').map(readableSegment).join('/') + path.slice(end);
}

/** The origin of this machine at a port, without the port that is the scheme's own: `https://localhost` for 443. */
export const originOf = (scheme: 'http' | 'https', host: string, port: number): string =>
	new URL(`${scheme}://${host}:${port}`).origin;
