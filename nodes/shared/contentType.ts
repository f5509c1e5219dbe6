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

/** A content type without its parameters, in small letters. */
function essenceOf(contentType: string): string {
	const [type = ''] = contentType.split(';', 1);
	return type.trim().toLowerCase();
}

/** A type and its subtype, without wildcards. */
const ESSENCE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/;

/**
 * Makes the content type that a file is stored with: its type in small letters, as n8n compares it so, with its parameters
 * where a header can have them. Pure.
 * @returns undefined where it is none, such as `image/*`, `file` or one with control characters.
 * @example
 * storedContentType('Image/PNG; q="€"'); // image/png
 */
export function storedContentType(contentType: string | null): string | undefined {
	if (contentType === null || !isPlainContentType(contentType)) return undefined;
	const essence = essenceOf(contentType);
	if (!ESSENCE.test(essence)) return undefined;
	const parameters = contentType.includes(';') ? contentType.slice(contentType.indexOf(';')).trim() : '';
	return /^[\x20-\x7e]*$/.test(parameters) ? essence + parameters : essence;
}

/**
 * The types of files that people send, by the extension. Of the extensions of one type, the last one is given to a file
 * that has none. Source: docs/service-facts.md#media-types.
 */
const TYPES: ReadonlyMap<string, string> = new Map([
	['aac', 'audio/aac'],
	['amr', 'audio/AMR'],
	['avi', 'video/x-msvideo'],
	['avif', 'image/avif'],
	['bmp', 'image/bmp'],
	['csv', 'text/csv'],
	['doc', 'application/msword'],
	['docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
	['eml', 'message/rfc822'],
	['gif', 'image/gif'],
	['heic', 'image/heic'],
	['heif', 'image/heif'],
	['htm', 'text/html'],
	['html', 'text/html'],
	['ics', 'text/calendar'],
	['jpe', 'image/jpeg'],
	['jpeg', 'image/jpeg'],
	['jpg', 'image/jpeg'],
	['json', 'application/json'],
	['log', 'text/plain'],
	['m4a', 'audio/mp4'],
	['md', 'text/markdown'],
	['mov', 'video/quicktime'],
	['mp3', 'audio/mpeg'],
	['mp4', 'video/mp4'],
	['mpeg', 'video/mpeg'],
	['mpg', 'video/mpeg'],
	['odp', 'application/vnd.oasis.opendocument.presentation'],
	['ods', 'application/vnd.oasis.opendocument.spreadsheet'],
	['odt', 'application/vnd.oasis.opendocument.text'],
	['oga', 'audio/ogg'],
	['opus', 'audio/ogg'],
	['ogg', 'audio/ogg'],
	['ogv', 'video/ogg'],
	['pdf', 'application/pdf'],
	['png', 'image/png'],
	['ppt', 'application/vnd.ms-powerpoint'],
	['pptx', 'application/vnd.openxmlformats-officedocument.presentationml.presentation'],
	['rtf', 'application/rtf'],
	['svg', 'image/svg+xml'],
	['tif', 'image/tiff'],
	['tiff', 'image/tiff'],
	['txt', 'text/plain'],
	['vcf', 'text/vcard'],
	['wav', 'audio/wav'],
	['weba', 'audio/webm'],
	['webm', 'video/webm'],
	['webp', 'image/webp'],
	['xls', 'application/vnd.ms-excel'],
	['xlsx', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'],
	['xml', 'application/xml'],
	['zip', 'application/zip'],
]);

/**
 * Tells the content type of a file by the extension of its name, in any casing; '' where there is none, or it is not known.
 * Pure. Source: docs/service-facts.md#media-types.
 * @example
 * contentTypeOf('Photo.JPG'); // image/jpeg
 */
export function contentTypeOf(fileName: string): string {
	const [, extension = ''] = /[^.]\.([a-z0-9]+)$/i.exec(fileName) ?? [];
	return TYPES.get(extension.toLowerCase()) ?? '';
}

const EXTENSIONS: ReadonlyMap<string, string> = new Map([
	...[...TYPES].map(([extension, type]): [string, string] => [type.toLowerCase(), extension]),
	// What programs write for them.
	['application/x-zip-compressed', 'zip'],
	['audio/mp3', 'mp3'],
	['audio/wave', 'wav'],
	['audio/x-m4a', 'm4a'],
	['audio/x-wav', 'wav'],
	['image/jpg', 'jpg'],
	['image/pjpeg', 'jpg'],
	['text/xml', 'xml'],
]);

/** n8n writes this type where it knows none. */
const NO_TYPE = 'text/plain';

/**
 * Tells the extension of a file by its content type; '' where it is not known, and for `text/plain`, which is what n8n
 * writes where it knows no type. Pure.
 * @example
 * extensionOf('image/JPEG; q=1'); // jpg
 */
export function extensionOf(contentType: string): string {
	const essence = essenceOf(contentType);
	return essence === NO_TYPE ? '' : (EXTENSIONS.get(essence) ?? '');
}

/** Further extensions of the types that tell one: a file which has such an extension gets no other one. */
const OTHER_EXTENSIONS = new Set(
	(
		'ai apng cur dib dng dot dotm dotx docm dwg emf eps flac flv glb gltf ico jfif jp2 jpm jpx jxl kar key m1v m2v m3u ' +
		'm4b m4p m4r m4v mid midi mka mkv mp2 mp4v mpe mpga msg numbers odg pages pjp pjpeg pot potm potx pps ppsm ppsx pptm ' +
		'psd pub qt snd spx svgz vsd vsdx wma wmf wmv wps xla xlam xlsb xlsm xlt xltm xltx xps 3g2 3gp 3gpp'
	).split(' '),
);

/** Whether an extension is one that people know, in any casing. Pure. */
export function isKnownExtension(extension: string): boolean {
	return TYPES.has(extension.toLowerCase()) || OTHER_EXTENSIONS.has(extension.toLowerCase());
}

/** Types whose files have the extension of the type; those of JSON, XML or ZIP have many others, such as .jsonl or .pages. */
const OF_ONE_KIND = /^(?:image\/(?!svg)|audio\/|video\/|application\/(?:pdf|rtf|msword|vnd\.))/;

/** Whether a file of a content type has the extension that {@link extensionOf} tells. Pure. */
export function tellsExtension(contentType: string): boolean {
	return extensionOf(contentType) !== '' && OF_ONE_KIND.test(essenceOf(contentType));
}
