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
	if (url.pathname.includes('/webhook-test/')) {
		return 'it is n8n’s test URL, which answers only while the editor listens';
	}
	if (!/^https?:$/.test(url.protocol)) return 'it does not start with https://';
	const isLocal = services.some((origin) => origin !== undefined && isLoopback(new URL(origin)));
	return isLocal && isLoopback(url) ? undefined : whyNotCallable(url);
}
