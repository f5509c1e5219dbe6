/** Where an address begins and ends in a text. */
interface Address {
	start: number;
	end: number;
}

const START = /(?<![A-Za-z0-9])(?:https?:\/\/|ftp:\/\/|www\.)|@/gi;
const OUTSIDE = /[\s<`]/g;
const TRAILING = '?!.,:;*_~\'")]}';
const LOCAL_PART = /[A-Za-z0-9.+_-]/;
const DOMAIN = /[A-Za-z0-9._-]+/y;

function mailAddress(text: string, at: number, from: number): Address {
	let start = at;
	while (start > from && LOCAL_PART.test(text.charAt(start - 1))) start--;
	// A mark before the address may be emphasis.
	while (text.charAt(start) === '_') start++;
	DOMAIN.lastIndex = at + 1;
	let end = DOMAIN.test(text) ? DOMAIN.lastIndex : at + 1;
	while (text.charAt(end - 1) === '_') end--;
	return { start: Math.min(start, at), end };
}

/**
 * The addresses that stand in a text as they are: of pages, and of e-mail. Marks within them are no emphasis. An address
 * that begins within another one ends where that ends. Pure.
 */
export function addressesIn(text: string): Address[] {
	const found: Address[] = [];
	let outside = 0;
	let end = 0;
	for (const { 0: what, index } of text.matchAll(START)) {
		if (what === '@') {
			found.push(mailAddress(text, index, found.at(-1)?.end ?? 0));
			continue;
		}
		if (index >= outside) {
			OUTSIDE.lastIndex = index;
			outside = OUTSIDE.exec(text)?.index ?? text.length;
			end = outside;
			while (end > index && TRAILING.includes(text.charAt(end - 1))) end--;
		}
		found.push({ start: index, end });
	}
	return found;
}
