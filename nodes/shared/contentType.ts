/** Control characters and line separators, with which a content type would end the header that it is written into. */
const CONTROL = /[\p{Cc}\u2028\u2029]/u;
/** Parts of a path: backslashes, a drive, and the folders `.` and `..`. */
const PATH_PART = /\\|^[a-z]:|(^|\/)\.{1,2}(\/|$)/i;

/**
 * Whether a content type can be passed on: it has no control characters, and its type is no path. That it is a type that
 * anybody knows is not checked. Pure.
 * @param contentType with its parameters, e.g. `video/webm; codecs="vp8,opus"`.
 */
export function isPlainContentType(contentType: string): boolean {
	const [type = ''] = contentType.split(';', 1);
	return !CONTROL.test(contentType) && !PATH_PART.test(type.trim());
}
