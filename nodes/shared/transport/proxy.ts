import { getProxyForUrl } from 'proxy-from-env';

/**
 * The proxy that n8n is set up with for a URL (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY, in capitals or not);
 * undefined where there is none.
 */
export function proxyFor(url: URL): URL | undefined {
	const proxy = getProxyForUrl(url.href);
	return URL.canParse(proxy) ? new URL(proxy) : undefined;
}

/** The variable of n8n's environment that names the proxy for a URL. It is HTTPS_PROXY where none does. */
export function proxyVariableFor({ protocol }: URL): string {
	const own = `${protocol.replace(':', '')}_proxy`;
	const names = [own, 'all_proxy'].flatMap((name) => [name, name.toUpperCase()]);
	return names.find((name) => process.env[name]) ?? 'HTTPS_PROXY';
}
