import { BlockList, isIP } from 'node:net';

/**
 * The networks that are not on the internet. Node.js' BlockList matches them; a library such as ipaddr.js would bring
 * little more than this table. Source: docs/service-facts.md#special-addresses.
 */
const notPublic = new BlockList();
for (const subnet of [
	'0.0.0.0/8',
	'10.0.0.0/8',
	'100.64.0.0/10',
	'127.0.0.0/8',
	'169.254.0.0/16',
	'172.16.0.0/12',
	'192.0.0.0/24',
	'192.0.2.0/24',
	'192.168.0.0/16',
	'198.18.0.0/15',
	'198.51.100.0/24',
	'203.0.113.0/24',
	'224.0.0.0/3',
	'::/127',
	'64:ff9b:1::/48',
	'100::/64',
	'2001:db8::/32',
	'fc00::/7',
	'fe80::/10',
	'ff00::/8',
]) {
	const [network = '', prefix] = subnet.split('/');
	notPublic.addSubnet(network, Number(prefix), isIP(network) === 6 ? 'ipv6' : 'ipv4');
}

/** IPv6 addresses that contain an IPv4 address: mapped, translated (NAT64) and 6to4. */
const CARRIES_IPV4 = /^(?:::ffff:|64:ff9b::|2002:)/i;

/** Whether a text is an IP address on the internet. */
export function isPublicAddress(address: string): boolean {
	const family = isIP(address);
	if (family === 0) return false;
	// BlockList understands the mapped form only, so all of them are refused: no public host needs them.
	if (family === 6 && CARRIES_IPV4.test(address)) return false;
	return !notPublic.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

/** The host of a URL as DNS looks it up: without the brackets of an IPv6 address or the last dot of a name. */
export function hostOf(url: URL): string {
	return url.hostname
		.replace(/^\[(.*)\]$/, '$1')
		.replace(/\.$/, '')
		.toLowerCase();
}

/** Whether a URL leads to this machine, by its name or by a loopback address. */
export function isLoopback(url: URL): boolean {
	const host = hostOf(url);
	return (
		host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
	);
}

/**
 * Says why a URL cannot be on the internet, by the URL alone: no name is looked up.
 * @returns words for after `because`, or a colon; undefined where the URL may be on the internet.
 */
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
