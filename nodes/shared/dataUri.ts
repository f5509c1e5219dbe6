/**
 * Files within texts: base64, and data URIs. Source: docs/service-facts.md#data-uris.
 *
 * A text may have megabytes, so it is searched for single signs only: a pattern that repeats a group or a class of signs
 * over all of it would exhaust the stack.
 */

/** A file that was written as a data URI. */
interface DataUri {
	/** The type without its parameters, e.g. `video/webm`; '' where none is named. */
	contentType: string;
	/** The start of the URI that gives the same type to every reader, e.g. `data:video/webm;codecs=vp8%2Copus;base64,`. */
	prefix: string;
	data: Buffer;
}

const SCHEME = /^\s*data:/i;

/** Whether a text starts as a data URI does. It may still be unreadable. */
export function isDataUri(text: string): boolean {
	return SCHEME.test(text);
}

/**
 * Decodes base64 in the alphabet of MIME or of URLs, with or without line breaks, blanks and the padding at its end.
 * @returns undefined where it is no base64. An empty text is an empty file.
 */
export function readBase64(text: string): Buffer | undefined {
	// A longer run of blanks is taken in pieces, as each sign of a run takes a place on the stack.
	const written = text.replace(/[\t\n\f\r ]{1,1000}/g, '');
	let end = written.length;
	while (written[end - 1] === '=') end--;
	const digits = written.slice(0, end);
	if (digits.length % 4 === 1 || /[^A-Za-z0-9+/_-]/.test(digits)) return undefined;
	return Buffer.from(digits, 'base64');
}

const PERCENT = 0x25;

/** The values of hexadecimal digits, by their code; -1 for any other byte. A table, as files have megabytes. */
const HEX_VALUES = Int8Array.from({ length: 256 }, (_, code) => {
	const value = parseInt(String.fromCharCode(code), 16);
	return Number.isNaN(value) ? -1 : value;
});

/** The value of a byte that is a hexadecimal digit; -1 for any other one, and for none. */
function hexValue(byte: number | undefined): number {
	return byte === undefined ? -1 : (HEX_VALUES[byte] ?? -1);
}

/** Decodes percent-encoded bytes. All other signs become UTF-8; a percent sign without two digits stays. */
export function percentDecoded(text: string): Buffer {
	const bytes = Buffer.from(text);
	if (!text.includes('%')) return bytes;
	let length = 0;
	for (let index = 0; index < bytes.length; index++) {
		const byte = bytes[index] ?? 0;
		const high = byte === PERCENT ? hexValue(bytes[index + 1]) : -1;
		const low = high >= 0 ? hexValue(bytes[index + 2]) : -1;
		bytes[length++] = low >= 0 ? high * 16 + low : byte;
		if (low >= 0) index += 2;
	}
	return bytes.subarray(0, length);
}

/** Percent-encodes all signs but those that have a meaning neither in a URI nor in a content type. */
function percentEncoded(text: string, kept: RegExp): string {
	return Array.from(Buffer.from(text), (byte) => {
		const sign = String.fromCharCode(byte);
		return kept.test(sign) ? sign : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
	}).join('');
}

/** Splits a text at a sign, but not within quotes, which start after a `=`. A quote that does not end is a sign as any. */
function splitUnquoted(text: string, separator: ',' | ';', maxParts = Infinity): string[] {
	const parts: string[] = [];
	let start = 0;
	for (let index = 0; index < text.length && parts.length < maxParts - 1; index++) {
		if (text[index] === separator) {
			parts.push(text.slice(start, index));
			start = index + 1;
		} else if (text[index] === '"' && /=\s*$/.test(text.slice(Math.max(start, index - 20), index))) {
			index = endOfQuotes(text, index) ?? index;
		}
	}
	return [...parts, text.slice(start)];
}

/** Finds the quotation mark that ends the quotes which start at an index. A backslash quotes the sign after it. */
function endOfQuotes(text: string, start: number): number | undefined {
	for (let index = start + 1; index < text.length; index++) {
		if (text[index] === '\\') index++;
		else if (text[index] === '"') return index;
	}
	return undefined;
}

function unquoted(text: string): string {
	const isQuoted = text.length > 1 && text.startsWith('"') && text.endsWith('"');
	return isQuoted ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text;
}

/** A type without blanks, and without the slashes that some write as after the scheme of a URL. */
function plainTypeOf(type: string): string {
	return type.replace(/\s/g, '').replace(/^\/+/, '');
}

/** Makes the start of a data URI. @param decode reads a part of the type as it was written. */
function prefixOf(mediaType: string, decode: (part: string) => string): string {
	const [type = '', ...parameters] = splitUnquoted(mediaType, ';');
	const written = parameters.flatMap((parameter) => {
		const [name = '', ...value] = parameter.split('=');
		const parts = [decode(name).trim(), unquoted(decode(value.join('=')).trim())];
		if (parts[0] === '' || value.length === 0) return [];
		return [`;${parts.map((part) => percentEncoded(part, /[\w.-]/)).join('=')}`];
	});
	const plainType = plainTypeOf(decode(type));
	return `data:${percentEncoded(plainType, /[\w.+\-/!$&^]/)}${written.join('')};base64,`;
}

/**
 * Makes the start of a data URI in base64. What a parameter holds is percent-encoded where it could end it: quotes would
 * not do, as most readers end the type at the first comma.
 * @param contentType with its parameters, e.g. `video/webm; codecs="vp8,opus"`.
 * @example
 * dataUriPrefix('video/webm; codecs="vp8,opus"'); // data:video/webm;codecs=vp8%2Copus;base64,
 */
export function dataUriPrefix(contentType: string): string {
	return prefixOf(contentType, (part) => part);
}

/** What stands before the content of a data URI. */
interface Header {
	/** As it was written, e.g. `video/webm;codecs=vp8`. */
	mediaType: string;
	isBase64: boolean;
}

const MARK = /^\s*base64\s*$/i;

/**
 * Reads a header. The mark `;base64` should be its end, but some write it before the parameters, alone, or with the header
 * percent-encoded: what follows is base64 all the same, and as a text it would be a file of rubbish.
 */
function readHeader(written: string): Header {
	// In a parameter, what is encoded is a part of its value.
	const text = written.includes('=') ? written : percentDecoded(written).toString();
	const parts = splitUnquoted(text, ';');
	const others = parts.filter((part) => !MARK.test(part));
	const isBase64 = others.length < parts.length;
	const [type = ''] = parts;
	return { mediaType: (isBase64 && MARK.test(type) ? ['', ...others] : others).join(';'), isBase64 };
}

/** No type is longer. The content of a text without a comma is not searched for one. */
const MAX_HEADER_LENGTH = 4096;

/** A list of codecs whose commas are not quoted is no longer than this. */
const MAX_LIST_LENGTH = 512;
const LIST_AND_MARK = /^[^\r\n]*?;\s*base64[\s;]*,/i;

/** Types whose content may have a comma, a mark and another one in its text. */
const TEXT_TYPE = /^(?:$|;|text\/|application\/(?:json|javascript|xml)|[^;]*\+(?:json|xml))/i;

/**
 * Many writers leave the commas of a parameter as they are: `data:video/webm;codecs=vp8,opus;base64,…`. By the letter, the
 * content starts after the first one. It is taken as part of the parameter where all that stands behind the mark is
 * base64, which a text hardly is, and where the type is none of a text.
 * @returns undefined where there is no such list.
 */
function withList(head: string, rest: string): { head: string; content: string } | undefined {
	const parameter = /;\s*([^;=\s]+)\s*=[^;]*$/.exec(head.slice(-MAX_LIST_LENGTH))?.[1];
	// The name of a charset has no comma, and texts have a charset.
	if (parameter === undefined || /^charset$/i.test(parameter)) return undefined;
	const list = LIST_AND_MARK.exec(rest.slice(0, MAX_LIST_LENGTH))?.[0];
	if (list === undefined) return undefined;
	const content = rest.slice(list.length);
	if (TEXT_TYPE.test(head.trimStart()) && base64Of(content) === undefined) return undefined;
	return { head: `${head},${list.slice(0, -1)}`, content };
}

/** Decodes base64 within a URI, where any sign may be percent-encoded. */
function base64Of(content: string): Buffer | undefined {
	return readBase64(content.includes('%') ? percentDecoded(content).toString('latin1') : content);
}

/**
 * Reads a data URI by RFC 2397: any parameters, also in quotes, base64 or percent-encoded. What most writers get wrong is
 * read as well: blanks, a type with commas that are not quoted, and base64 in the alphabet of URLs.
 * @returns undefined where no comma ends its type, or where its base64 is none.
 * @example
 * readDataUri('data:text/plain;charset=utf-8,a%20b')?.data.toString(); // a b
 */
export function readDataUri(uri: string): DataUri | undefined {
	// The fragment of a URI is not part of what it names.
	const [whole = ''] = uri.replace(SCHEME, '').split('#', 1);
	const [first = '', start] = splitUnquoted(whole.slice(0, MAX_HEADER_LENGTH), ',', 2);
	if (start === undefined) return undefined;
	const rest = whole.slice(first.length + 1);
	const list = readHeader(first).isBase64 ? undefined : withList(first, rest);
	const { mediaType, isBase64 } = readHeader(list?.head ?? first);
	const content = list?.content ?? rest;
	const data = isBase64 ? base64Of(content) : percentDecoded(content);
	if (data === undefined) return undefined;
	const decode = (part: string) => percentDecoded(part).toString();
	const [type = ''] = mediaType.split(';', 1);
	return { contentType: plainTypeOf(decode(type)), prefix: prefixOf(mediaType, decode), data };
}
