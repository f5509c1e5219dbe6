import { tidy } from '../../../shared/text';
import { InputError } from '../../../shared/transport/errors';
import { whyNotOnInternet } from '../../../shared/transport/publicUrl';

/**
 * Reads the URL of a file that the service fetches itself, so it must be on the internet.
 * Source: docs/service-facts.md#acs-messages.
 * @param label the name of the field.
 * @returns the URL, percent-encoded.
 * @throws InputError where it is no URL, or surely not on the internet.
 */
export function readMediaUrl(value: string, label: string): string {
	const text = tidy(value);
	if (text === '') throw new InputError(`${label} is empty`, 'Give the address of the file.');
	const url = URL.canParse(text) ? new URL(text) : undefined;
	if (!url || !/^https?:$/.test(url.protocol)) {
		throw new InputError(`${label} is not a URL`, 'It looks like https://example.com/files/offer.pdf');
	}
	const why = whyNotOnInternet(url);
	if (why !== undefined) {
		throw new InputError(
			`${label} cannot be fetched from the internet: ${why}`,
			'Azure fetches the file itself. Put it where anybody can open it without a login.',
		);
	}
	return url.href;
}
