import { isUtf8 } from 'node:buffer';
import { extensionOf, isKnownExtension, tellsExtension } from './contentType';
import { percentDecoded } from './dataUri';
import { decodedIfEncoded, wellFormed, withoutUnseen } from './text';

/** Control characters and line separators. */
const CONTROL = /[\p{Cc}\u2028\u2029]/gu;

/** What separates the parts of a path, also percent-encoded, once or more often, as in the names of stored objects. */
const SEPARATOR = /[/\\]|%(?:25)*(?:2f|5c)/i;

/** Leaves out the blanks around a name, and the dots at its end, which Windows leaves out as well. */
function trimmed(name: string): string {
	let end = name.length;
	// A pattern for the end would look at each run of dots from each of its dots.
	while (/[.\s]/.test(name[end - 1] ?? '')) end--;
	return name.slice(0, end).trimStart();
}

/**
 * Makes the name of a file of a text that may be a path, or that somebody chose who wants to do harm. Pure.
 * @returns the last part of the path, without signs that cannot be seen, and without half characters, which n8n cannot put
 * into a header; '' where nothing is left.
 */
export function plainFileName(text: string): string {
	const parts = withoutUnseen(wellFormed(text)).replace(CONTROL, '').split(SEPARATOR);
	return parts.map(trimmed).findLast((name) => name !== '') ?? '';
}

/** Reads the name at the end of a URL, whose folders may be percent-encoded as well; '' where there is none. Pure. */
export function nameInUrl(url: string): string {
	if (!URL.canParse(url)) return '';
	const bytes = percentDecoded(new URL(url).pathname.split('/').at(-1) ?? '');
	// Older servers write names in Latin-1.
	return plainFileName(bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1'));
}

/** Decodes a name that is percent-encoded, as n8n takes it from URLs. Another one stays as it is. Pure. */
export function decodedName(name: string): string {
	// What is encoded is ASCII.
	return /[^\x20-\x7e]/.test(name) ? name : decodedIfEncoded(name);
}

/** The end of a name that says what a file is: letters and digits, not digits alone as in a date. */
const ENDING = /[^.]\.((?=[a-z0-9]{1,10}$)[a-z0-9]*[a-z][a-z0-9]*)$/i;

/** What is known of a file's kind beside its name. */
export interface FileKind {
	contentType: string;
	/**
	 * With or without its dot. n8n takes whatever stands behind the last dot of the name, ` 4711` of `No. 4711`.
	 * Source: docs/service-facts.md#n8n-binary-names.
	 */
	fileExtension?: string;
}

/** The extension that a file should have; '' where it is not known. */
function extensionFor({ contentType, fileExtension = '' }: FileKind): string {
	const [, given = ''] = ENDING.exec(`x.${plainFileName(fileExtension).replace(/^\.+/, '')}`) ?? [];
	return isKnownExtension(given) ? given : extensionOf(contentType) || given;
}

function withEnding(name: string, extension: string): string {
	const has = name.toLowerCase().endsWith(`.${extension.toLowerCase()}`);
	return extension === '' || has ? name : `${name}.${extension}`;
}

/**
 * Adds the extension of a file to a name that somebody gave it, where the name has none. Pure.
 * @param name as {@link plainFileName} makes it.
 * @example
 * withExtension('Offer 12.5.2026', { contentType: 'application/pdf' }); // Offer 12.5.2026.pdf
 */
export function withExtension(name: string, kind: FileKind): string {
	return name === '' || ENDING.test(name) ? name : withEnding(name, extensionFor(kind));
}

/**
 * Names a file that nobody gave a name here: by its own one, without its path. What stands behind its last dot is taken
 * for an extension only where that is known, or the content type tells none. Pure.
 * @returns `file` with its extension where it has no name; '' where there is no extension either.
 * @example
 * ownFileName('Offer Mr.Smith', { contentType: 'application/pdf', fileExtension: 'Smith' }); // Offer Mr.Smith.pdf
 */
export function ownFileName(own: string, kind: FileKind): string {
	const name = plainFileName(own);
	const [, ending = ''] = ENDING.exec(name) ?? [];
	const extension = extensionFor(kind);
	if (name === '') return extension === '' ? '' : `file.${extension}`;
	if (ending !== '' && (isKnownExtension(ending) || !tellsExtension(kind.contentType))) return name;
	return withEnding(name, extension);
}
