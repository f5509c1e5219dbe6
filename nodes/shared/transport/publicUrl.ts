import { BlockList, isIP } from 'node:net';

/**
 * Addresses that are of no use, or of too much, to somebody on the internet.
 * Source: docs/service-facts.md#special-addresses.
 */
const notPublic = new BlockList();
for (const [network, prefix] of [
	['0.0.0.0', 8],
	['10.0.0.0', 8],
	['100.64.0.0', 10],
	['127.0.0.0', 8],
	['169.254.0.0', 16],
	['172.16.0.0', 12],
	['192.0.0.0', 24],
	['192.0.2.0', 24],
	['192.168.0.0', 16],
	['198.18.0.0', 15],
	['198.51.100.0', 24],
	['203.0.113.0', 24],
	['224.0.0.0', 3],
] as const) {
	notPublic.addSubnet(network, prefix, 'ipv4');
}
for (const [network, prefix] of [
	['::', 127],
	['64:ff9b:1::', 48],
	['100::', 64],
	['2001:db8::', 32],
	['fc00::', 7],
	['fe80::', 10],
	['ff00::', 8],
] as const) {
	notPublic.addSubnet(network, prefix, 'ipv6');
}

/** Addresses that carry an IPv4 address within: mapped, translated (NAT64) and 6to4 ones. */
const CARRIES_IPV4 = /^(?:::ffff:|64:ff9b::|2002:)/i;

/** Whether an IP address is one on the internet; false for every other, and for what is no address. */
export function isPublicAddress(address: string): boolean {
	const family = isIP(address);
	if (family === 0) return false;
	// BlockList itself sees through the mapped form only; nobody has a reason to use the others here.
	if (family === 6 && CARRIES_IPV4.test(address)) return false;
	return !notPublic.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

/** The host of a URL as it is looked up: without an IPv6 address's brackets, or a name's last dot. */
export function hostOf(url: URL): string {
	return url.hostname
		.replace(/^\[(.*)\]$/, '$1')
		.replace(/\.$/, '')
		.toLowerCase();
}

/** Whether a URL names this machine: by name or by a loopback address. */
export function isLoopback(url: URL): boolean {
	const host = hostOf(url);
	return (
		host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
	);
}

/** Why a URL leads to nothing on the internet, as far as the URL itself tells; undefined where nothing speaks against it. */
export function whyNotOnInternet(url: URL): string | undefined {
	const host = hostOf(url);
	if (isLoopback(url)) return 'it names this machine';
	if (isIP(host) !== 0 && !isPublicAddress(host)) return 'its address is a private one';
	if (
		isIP(host) === 0 &&
		(!host.includes('.') || /\.(local|internal|lan|home|corp|test|invalid)$/.test(host))
	) {
		return 'its name is known in your own network only';
	}
	return undefined;
}
