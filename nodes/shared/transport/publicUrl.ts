import { isIP } from 'node:net';
import { IPv4, IPv6 } from 'ipaddr.js';

/**
 * Networks that ipaddr.js takes for the internet's, and that are not. Source: docs/service-facts.md#special-addresses.
 */
const ALSO_PRIVATE = [
	// Azure's platform, as a virtual machine there sees it: its agent, DNS and health probes.
	IPv4.parseCIDR('168.63.129.16/32'),
];
/** Of IPv6, the internet has addresses in this network alone; the others are reserved. */
const GLOBAL_UNICAST = IPv6.parseCIDR('2000::/3');
/** A translator (NAT64) leads to the IPv4 address in the last four bytes; a network without IPv4 has no other way there. */
const NAT64 = IPv6.parseCIDR('64:ff9b::/96');

function isPublicIpv4(address: IPv4): boolean {
	return address.range() === 'unicast' && !ALSO_PRIVATE.some((network) => address.match(network));
}

/** Writes the dotted end of an IPv6 address in hexadecimals: ipaddr.js takes `::1.2.3.4` for `::ffff:1.2.3.4`. */
function withoutDots(address: string): string {
	return address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)/, (_, ...found: string[]) => {
		const [a = 0, b = 0, c = 0, d = 0] = found.slice(0, 4).map(Number);
		return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
	});
}

/**
 * Whether a text is an IP address on the internet. The special ranges are those of ipaddr.js, which follows the registries
 * of IANA. An address that leads to an IPv4 address, mapped or by NAT64, is as public as that one.
 */
export function isPublicAddress(address: string): boolean {
	const family = isIP(address);
	if (family === 0) return false;
	if (family === 4) return isPublicIpv4(IPv4.parse(address));
	const parsed = IPv6.parse(withoutDots(address));
	const leadsToIpv4 = parsed.isIPv4MappedAddress() || parsed.match(NAT64);
	if (leadsToIpv4) return isPublicIpv4(new IPv4(parsed.toByteArray().slice(-4)));
	return parsed.range() === 'unicast' && parsed.match(GLOBAL_UNICAST);
}

/** The host of a URL as DNS looks it up: without the brackets of an IPv6 address or the dots at the end of a name. */
export function hostOf(url: URL): string {
	return url.hostname
		.replace(/^\[(.*)\]$/, '$1')
		.replace(/\.+$/, '')
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
 * The ends of names that no public DNS knows: those set aside for it, and those that private networks are known to use.
 * Source: docs/service-facts.md#special-names.
 */
const PRIVATE_NAME =
	/\.(local|localdomain|internal|intranet|private|lan|home|home\.arpa|corp|svc|onion|alt|test|invalid)$/;

/**
 * Says why a URL cannot be on the internet, by the URL alone: no name is looked up.
 * @returns words for after `because`, or a colon; undefined where the URL may be on the internet.
 */
export function whyNotOnInternet(url: URL): string | undefined {
	const host = hostOf(url);
	if (isLoopback(url)) return 'it names this machine';
	if (isIP(host) !== 0 && !isPublicAddress(host)) return 'its address is a private one';
	if (isIP(host) === 0 && (!host.includes('.') || PRIVATE_NAME.test(host))) {
		return 'its name is known in your own network only';
	}
	return undefined;
}
