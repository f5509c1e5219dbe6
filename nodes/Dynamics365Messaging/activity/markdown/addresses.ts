/** Where an address begins and ends in a text. */
interface Address {
	start: number;
	end: number;
	/** Whether a backslash in it is a sign of its own. */
	isPath: boolean;
}

const SCHEME = '[A-Za-z][A-Za-z0-9+.-]{1,31}:\\/\\/';
const NAME = '(?:[A-Za-z0-9-]{1,63}\\.){1,10}[A-Za-z]{2,24}';
const NUMBER = '(?:\\d{1,3}\\.){3}\\d{1,3}';
/** A file whose name has a mark of emphasis at its end. */
const FILE =
	'[\\w-]*_\\.(?:csv|docx?|eml|gif|html?|jpe?g|js|json|log|md|msg|pdf|png|pptx?|ps1|py|sh|sql|svg|ts|txt|xlsx?|xml|ya?ml|zip)(?![A-Za-z0-9])';
/** A drive of Windows, and a server. */
const DRIVE = '[A-Za-z]:\\\\(?=[\\w.-])';
const SERVER = '\\\\\\\\(?=[\\w.-]+\\\\)';
/**
 * What an address begins with: a scheme, `www.`, the name or number of a host with a path behind it, a drive or a server of
 * Windows, a file; or the sign within an e-mail address.
 */
const START = new RegExp(
	[
		`(?<![A-Za-z0-9])(?:${SCHEME}|www\\.|${DRIVE})`,
		`(?<![A-Za-z0-9.@-])(?:${NAME}|${NUMBER})(?::\\d{1,5})?\\/`,
		`(?<![^\\s("'„“])${SERVER}`,
		`(?<![\\w-])${FILE}`,
		'@',
	].join('|'),
	'gi',
);
/** What may end an address. A bracket does that was not opened in it, as one behind a link's text. */
const BOUNDARY = /[\s<`[\]]/g;
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
	return { start: Math.min(start, at), end, isPath: false };
}

/** Where an address ends at the latest. */
function outsideOf(text: string, start: number): number {
	let depth = 0;
	BOUNDARY.lastIndex = start;
	for (let found = BOUNDARY.exec(text); found; found = BOUNDARY.exec(text)) {
		if (found[0] === '[') depth++;
		else if (found[0] !== ']' || --depth < 0) return found.index;
	}
	return text.length;
}

/**
 * The addresses that stand in a text as they are: of pages, of files, and of e-mail. Marks within them are no emphasis. An address
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
			outside = outsideOf(text, index);
			end = outside;
			while (end > index && TRAILING.includes(text.charAt(end - 1))) end--;
		}
		found.push({ start: index, end, isPath: what.endsWith('\\') });
	}
	return found;
}
