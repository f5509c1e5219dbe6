import { isLoopback, whyNotOnInternet } from '../../shared/transport/publicUrl';

/**
 * Why Dynamics cannot call a URL, as far as the URL itself tells; undefined where nothing speaks against it.
 * It must be https with a certificate that is not self-signed. Source: docs/service-facts.md#webhook-url.
 */
export function whyNotCallable(url: URL): string | undefined {
	// That it names this machine says more than that it is not https.
	const isPlain = url.protocol !== 'https:' && !isLoopback(url);
	return isPlain ? 'it does not start with https://' : whyNotOnInternet(url);
}

/**
 * Why a webhook URL is of no use in the channel's record; undefined where nothing speaks against it. Pure.
 * @param services the origins of the credential: one on this machine, the emulator, can call any URL of it.
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
