import { isLoopback, whyNotOnInternet } from '../../shared/transport/publicUrl';

/**
 * Tells from the URL alone why Dynamics cannot call it. Pure.
 * @returns the reason, to be put after a colon; undefined where there is none.
 * Source: docs/service-facts.md#webhook-url.
 */
export function whyNotCallable(url: URL): string | undefined {
	// For a URL of this machine, that it is not on the internet is the better reason.
	const isPlain = url.protocol !== 'https:' && !isLoopback(url);
	return isPlain ? 'it does not start with https://' : whyNotOnInternet(url);
}

/**
 * Tells why a webhook URL must not be in the channel's record. Pure.
 * @param services the credential's origins. A service on this machine, such as the emulator, can call local URLs.
 * @returns the reason, to be put after a colon; undefined where there is none.
 */
export function whyNotRegistrable(
	webhookUrl: string,
	services: Array<string | undefined>,
): string | undefined {
	if (!URL.canParse(webhookUrl)) return 'it is not a URL';
	const url = new URL(webhookUrl);
	if (isTestUrl(webhookUrl)) {
		return 'it is n8n’s test URL, which answers only while the editor listens';
	}
	if (!/^https?:$/.test(url.protocol)) return 'it does not start with https://';
	const isLocal = services.some((origin) => origin !== undefined && isLoopback(new URL(origin)));
	return isLocal && isLoopback(url) ? undefined : whyNotCallable(url);
}

/** Whether it is a URL at which n8n's editor listens for a test event. Pure. Source: docs/service-facts.md#n8n-test-webhooks. */
export function isTestUrl(url: string): boolean {
	return URL.canParse(url) && new URL(url).pathname.includes('/webhook-test/');
}

/** The production URL for a test URL, where n8n has its own paths for both. Pure. */
export function productionUrlOf(testUrl: string): string {
	return testUrl.replace('/webhook-test/', '/webhook/');
}

/** Upper-case escapes, and none of what needs none (RFC 3986, 6.2.2). */
function normalizeEscapes(path: string): string {
	return path.replace(/%[0-9a-f]{2}/gi, (escape) => {
		const character = String.fromCharCode(parseInt(escape.slice(1), 16));
		return /[\w.~-]/.test(character) ? character : escape.toUpperCase();
	});
}

/** The parts of a path in the spelling that all have in common; empty for what is no URL. */
function segmentsOf(url: string): string[] {
	return normalizeEscapes(withoutUser(url)?.pathname ?? '')
		.split('/')
		.filter(Boolean);
}

/**
 * Whether two URLs end with the ID of the same webhook and of the same node: they are those of one trigger, also at a
 * former address or below another path, or those of its copy in a clone. Pure.
 */
export function isOfSameNode(one: string, other: string): boolean {
	const idsOf = (url: string) => segmentsOf(url).slice(-2).join('/').toLowerCase();
	return idsOf(one) !== '' && idsOf(one) === idsOf(other);
}

/** What precedes the IDs in the URL of a trigger, apart from the last so many parts of the path. */
function baseOf(url: string, parts: number): string | undefined {
	const origin = withoutUser(url)?.origin;
	return (
		origin &&
		`${origin} ${segmentsOf(url)
			.slice(0, -2 - parts)
			.join('/')}`
	);
}

/** Whether two URLs are of triggers below one path of one n8n, such as `/webhook/`. Pure. */
export function isOfSameEndpoint(one: string, other: string): boolean {
	const base = baseOf(one, 0);
	return base !== undefined && base === baseOf(other, 0);
}

/**
 * Whether two URLs are the test URL and the production URL of one trigger of one n8n, in whatever spelling, or the same.
 * The path of each is one part, which can be any: N8N_ENDPOINT_WEBHOOK_TEST. Pure.
 */
export function isOfSameTrigger(one: string, other: string): boolean {
	const base = baseOf(one, 1);
	return base !== undefined && base === baseOf(other, 1) && isOfSameNode(one, other);
}

/** A URL as it may be shown and logged: its password is somebody's secret. Pure. */
export function withoutPassword(text: string): string {
	if (!URL.canParse(text)) return text;
	const url = new URL(text);
	if (url.password === '') return text;
	url.password = '***';
	return url.href;
}

/** A text that all spellings of a URL have in common: casing of the host, default port, escapes, slashes at the end. Pure. */
export function normalizeUrl(text: string): string {
	const trimmed = text.trim();
	if (!URL.canParse(trimmed)) return trimmed.replace(/\/+$/, '');
	const { protocol, username, password, host, pathname, search } = new URL(trimmed);
	const path = normalizeEscapes(pathname).replace(/\/+$/, '');
	return JSON.stringify([protocol, username, password, host, path, search]);
}

/** Whether two URLs are the same in whatever spelling. Pure. */
export function isSameUrl(one: string | null, other: string | null): boolean {
	return normalizeUrl(one ?? '') === normalizeUrl(other ?? '');
}

/**
 * Reads a URL for a request, without its user and password: none is sent, and Node.js throws where one has a broken
 * escape. Pure.
 * @returns undefined where it is not a URL.
 */
export function withoutUser(text: string): URL | undefined {
	if (!URL.canParse(text)) return undefined;
	const url = new URL(text);
	url.username = '';
	url.password = '';
	return url;
}
