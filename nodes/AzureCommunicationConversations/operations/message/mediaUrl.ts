import { InputError } from '../../../shared/transport/errors';
import { whyNotOnInternet } from '../../../shared/transport/publicUrl';

/**
 * Checks the URL of a file that the service is to fetch.
 * It must be publicly reachable. Source: docs/service-facts.md#acs-messages.
 * @returns the URL with its spaces and umlauts encoded.
 * @throws InputError naming the field, where it surely is not.
 */
export function mediaUrl(given: string, label: string): string {
	const text = given.trim();
	if (text === '') throw new InputError(`${label} is empty`, 'Give the address of the file.');
	const url = URL.canParse(text) ? new URL(text) : undefined;
	if (!url || !/^https?:$/.test(url.protocol)) {
		throw new InputError(`${label} is not a URL`, 'It looks like https://example.com/files/offer.pdf');
	}
	const why = whyNotOnInternet(url);
	if (why !== undefined) {
		throw new InputError(
			`${label} cannot be fetched from the internet: ${why}`,
			'Azure fetches the file itself: put it where anybody can open it without a login.',
		);
	}
	return url.href;
}
