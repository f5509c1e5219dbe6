import type { INodeProperties } from 'n8n-workflow';
import { numberField, readNumber, type NumberField } from '../../shared/action/fields/number';
import {
	checkLength,
	limitHint,
	readText,
	readName,
	stringField,
	textField,
	type TextField,
} from '../../shared/action/fields/text';
import type { ItemFile, ParameterReader } from '../../shared/action/parameters';
import { contentTypeOf, isPlainContentType } from '../../shared/contentType';
import { dataUriPrefix, isDataUri, readBase64, readDataUri } from '../../shared/dataUri';
import {
	decodedName,
	nameInUrl,
	ownFileName,
	plainFileName,
	withExtension,
	type FileKind,
} from '../../shared/fileName';
import { withoutEmpty } from '../../shared/json';
import { cut, tidy } from '../../shared/text';
import { InputError } from '../../shared/transport/errors';
import { EmbeddedFile } from '../../shared/transport/requestBody';
import type { OutgoingAttachment, OutgoingMessage } from '../messagingApi/sendActivity';
import { booleanField, readSender, senderFields } from './fields';

/** Source: docs/service-facts.md#activities-sent. */
const TEXT: TextField = { name: 'text', label: 'Text', maxLength: 6000 };
const CONTENT_TYPE: TextField = { name: 'contentType', label: 'Content Type', maxLength: 256 };
const FILE_NAME: TextField = { name: 'name', label: 'File Name', maxLength: 256 };

/** An organization's limit by default, and the largest one. Source: docs/service-facts.md#attachment-limits. */
const MAX_SIZE_MB: NumberField = {
	name: 'maxAttachmentSizeMb',
	label: 'Max Attachment Size (MB)',
	default: 5,
	min: 0.001,
	max: 128,
	isWhole: false,
};

/** The fields of a message: text and attachments. */
export const bodyFields: INodeProperties[] = [
	stringField(
		TEXT.name,
		TEXT.label,
		`What the customer says. ${limitHint(TEXT)}. Can be empty if there are attachments.`,
		{ typeOptions: { rows: 3 }, placeholder: 'e.g. My heat pump is loud' },
	),
	{
		displayName: 'Attachments',
		name: 'attachments',
		type: 'fixedCollection',
		typeOptions: { multipleValues: true },
		placeholder: 'Add attachment',
		default: {},
		description:
			'Files to send with the message. The channel must allow customers to send attachments (Channel: Update, Attachments of Customers).',
		options: [
			{
				displayName: 'Attachment',
				name: 'attachment',
				values: [
					{
						displayName: 'Source',
						name: 'source',
						type: 'options',
						default: 'url',
						options: [
							{ name: 'Binary Field', value: 'binary', description: 'A file in a binary field of the item' },
							{ name: 'URL', value: 'url', description: 'A file that Dynamics 365 can fetch' },
						],
						description: 'Where the file is',
					},
					stringField(
						'binaryPropertyName',
						'Input Data Field Name',
						'Name of the binary field that holds the file',
						{
							default: 'data',
							displayOptions: { show: { source: ['binary'] } },
							placeholder: 'e.g. data',
						},
					),
					stringField(
						'url',
						'URL',
						'URL from which Dynamics 365 can fetch the file, or the file itself as a data URI or in base64',
						{
							displayOptions: { show: { source: ['url'] } },
							placeholder: 'e.g. https://example.com/files/photo.jpg',
						},
					),
					textField(CONTENT_TYPE, {
						placeholder: 'e.g. image/jpeg',
						description:
							'MIME type of the file. Leave it empty to use the type of the binary field or data URI, or the one that the file extension means (.jpg is image/jpeg).',
					}),
					textField(FILE_NAME, {
						placeholder: 'e.g. photo.jpg',
						description:
							'Name of the file with its extension. Leave it empty to use the name at the end of the URL, or the name of the file in the binary field.',
					}),
				],
			},
		],
	},
];

/** The options of a message, in the order in which they are shown. */
export const bodyOptions: INodeProperties[] = [
	{
		displayName: 'Attachment Encoding',
		name: 'attachmentEncoding',
		type: 'options',
		default: 'dataUri',
		options: [
			{ name: 'Data URI', value: 'dataUri', description: 'Base64 with the content type in front' },
			{ name: 'Plain Base64', value: 'base64' },
		],
		description: 'How to encode the file of a binary field. Try the other one if files do not open.',
	},
	booleanField(
		'automated',
		'Automated',
		'Whether to mark the message as automated: written by a program or a language model',
	),
	numberField(MAX_SIZE_MB, 'A larger file in a binary field is refused before it is read'),
	stringField(
		'messageId',
		'Message ID',
		'Your own ID of the message. The messageId in the output is a different one: the service creates it.',
	),
	...senderFields,
];

/** A shorter text is rather a word than bare base64: that of 18 bytes has 24 signs. */
const MIN_BARE_BYTES = 18;
/** Words or an ID with dashes between, which are base64 in the alphabet of URLs by chance. No file that long has one casing. */
const SLUG = /^([a-z0-9]+([-_][a-z0-9]+)+|[A-Z0-9]+([-_][A-Z0-9]+)+)$/;
const MAX_SLUG_LENGTH = 200;

/** Reads bare base64, which may be broken into lines; undefined where a text is none. */
function readBareBase64(text: string): Buffer | undefined {
	const joined = text
		.split('\n')
		.map((line) => line.trim())
		.join('');
	if (/\s/.test(joined) || (joined.length <= MAX_SLUG_LENGTH && SLUG.test(joined))) return undefined;
	const data = readBase64(joined);
	return data && data.length >= MIN_BARE_BYTES ? data : undefined;
}

/** Where a file is, or the file itself, and what that tells of it. */
interface Located {
	contentUrl: string;
	contentType: string;
	name: string;
}

/**
 * Reads a URL, or a file in base64, as a data URI or bare. A file is written anew, so that every reader reads the same.
 * Source: docs/service-facts.md#attachments-sent.
 * @returns undefined where it is none of them.
 */
function locate(text: string): Located | undefined {
	if (isDataUri(text)) {
		const file = readDataUri(text);
		if (!file || file.data.length === 0) return undefined;
		const contentUrl = file.prefix + file.data.toString('base64');
		return { contentUrl, contentType: file.contentType, name: '' };
	}
	if (/^https?:\/\//i.test(text)) {
		if (/\s/.test(text) || !URL.canParse(text)) return undefined;
		return { contentUrl: text, contentType: '', name: nameInUrl(text) };
	}
	const data = readBareBase64(text);
	return data && { contentUrl: data.toString('base64'), contentType: '', name: '' };
}

/** Reads a file's name, without the path that an expression may give. */
function readFileName(row: ParameterReader): string {
	return plainFileName(row.text(FILE_NAME.name, FILE_NAME.label));
}

/** Names a file: as the user does, or else by its own name. Where it has no extension, its type tells it. */
function attachmentName(given: string, own: string, kind: FileKind, which: string): string {
	return checkName(withExtension(given, kind) || ownFileName(own, kind), which);
}

/** Checks a file's name. Organizations block files by extension. Source: docs/service-facts.md#attachments-sent. */
function checkName(name: string, which: string): string {
	checkLength(name, FILE_NAME);
	if (name === '')
		throw new InputError(`${which} has no File Name`, 'Give one with its extension, such as photo.jpg.');
	if (!/[^.]\.[^.\s]+$/.test(name)) {
		throw new InputError(
			`${which}: the file name ${name} has no extension`,
			'Dynamics 365 needs it. Give a File Name such as photo.jpg.',
		);
	}
	return name;
}

function checkContentType(contentType: string, which: string): string {
	checkLength(contentType, CONTENT_TYPE);
	if (contentType === '') {
		throw new InputError(
			`${which} has no Content Type`,
			'It cannot be told from the file. Give its MIME type, such as image/jpeg or application/pdf.',
		);
	}
	if (!isPlainContentType(contentType)) {
		throw new InputError(
			`${which}: Content Type is not a MIME type`,
			'It contains a line break, an invisible character or a path. Give one such as image/jpeg.',
		);
	}
	return contentType;
}

function attachmentByUrl(row: ParameterReader, which: string): OutgoingAttachment {
	const given = row.text('url', `${which}: URL`).trim();
	// What nobody sees may be a part of a text file.
	const text = isDataUri(given) ? given : tidy(given);
	const located = locate(text);
	if (!located) {
		throw new InputError(
			text === '' ? `${which} has no URL` : `${which}: URL cannot be fetched`,
			'Give a URL that starts with https://, or the file itself as a data URI or in base64.',
		);
	}
	const fileName = readFileName(row);
	const known = located.contentType || contentTypeOf(located.name) || contentTypeOf(fileName);
	const contentType = checkContentType(readName(row, CONTENT_TYPE) || known, which);
	return {
		contentType,
		// Without a type, a data URI is one of a text.
		contentUrl: located.contentUrl.replace(/^data:;base64,/, () => dataUriPrefix(contentType)),
		name: attachmentName(fileName, located.name, { contentType }, which),
	};
}

interface FileOptions {
	encoding: 'dataUri' | 'base64';
	maxBytes: number;
}

const MEGABYTE = 1024 * 1024;

/** @throws InputError where a file is empty or too large. */
function checkFileSize(label: string, maxBytes: number, bytes: number): void {
	if (bytes === 0) throw new InputError(`${label} is empty`, 'The file in the binary field has 0 bytes.');
	if (bytes > maxBytes) {
		const limit = (maxBytes / MEGABYTE).toLocaleString('en-US', { maximumFractionDigits: 1 });
		throw new InputError(
			`${label} is larger than ${limit} MB`,
			`It has ${bytes.toLocaleString('en-US')} bytes. Shrink it, or raise Max Attachment Size if your organization allows larger files.`,
		);
	}
}

/**
 * The file of a binary field, to be read when the body is sent. Its size is checked before anything is sent, and again
 * when the file is read, as n8n does not always know it before.
 */
function embeddedFile(
	parameters: ParameterReader,
	file: ItemFile,
	{ label, contentType, encoding, maxBytes }: FileOptions & { label: string; contentType: string },
): EmbeddedFile {
	const prefix = encoding === 'base64' ? '' : dataUriPrefix(contentType);
	parameters.beforeSending(async () => checkFileSize(label, maxBytes, await file.size()));
	const read = async () => {
		const data = await file.read();
		checkFileSize(label, maxBytes, data.length);
		return data;
	};
	return new EmbeddedFile(read, prefix);
}

/** As much is shown of what was given as a name. It may be a whole file. */
const SHOWN_LENGTH = 100;

/** Finds the file of an attachment: Input Data Field Name is a name, or an expression that gives the binary data itself. */
function readFile(row: ParameterReader, which: string): ItemFile {
	const given = row.raw('binaryPropertyName');
	const isData = typeof given === 'object' && given !== null;
	const property = isData ? '' : row.text('binaryPropertyName', `${which}: Input Data Field Name`).trim();
	const file = isData ? row.file(given) : property === '' ? undefined : row.file(property);
	if (file) return file;
	const known = row.fileProperties();
	throw new InputError(
		isData
			? `${which}: Input Data Field Name is neither the name of a binary field nor binary data`
			: property === ''
				? `${which} has no Input Data Field Name`
				: `${which}: there is no binary field “${cut(property, SHOWN_LENGTH)}”`,
		known.length === 0
			? 'The item has no files: check the node before this one.'
			: `The item has: ${known.join(', ')}. Name one; add an attachment for each further file.`,
	);
}

function attachmentByField(row: ParameterReader, which: string, options: FileOptions): OutgoingAttachment {
	const file = readFile(row, which);
	const { mimeType, fileExtension } = file;
	const given = readFileName(row);
	const own = decodedName(file.fileName ?? '');
	const known = mimeType || contentTypeOf(own) || contentTypeOf(given);
	const contentType = checkContentType(readName(row, CONTENT_TYPE) || known, which);
	const name = attachmentName(given, own, { contentType, fileExtension }, which);
	const label = `${which}: ${name}`;
	return { contentType, contentUrl: embeddedFile(row, file, { ...options, label, contentType }), name };
}

function readFileOptions(options: ParameterReader): FileOptions {
	const encoding = options.text('attachmentEncoding', 'Attachment Encoding') || 'dataUri';
	if (encoding !== 'dataUri' && encoding !== 'base64') {
		throw new InputError('Attachment Encoding is unknown', 'Choose Data URI or Plain Base64.');
	}
	return { encoding, maxBytes: Math.round(readNumber(options, MAX_SIZE_MB) * MEGABYTE) };
}

/**
 * Reads the text, the attachments and the options of a message. `channelData` marks it as automated.
 * @throws InputError naming the field.
 */
export function readMessageBody(parameters: ParameterReader): OutgoingMessage {
	const options = parameters.collection('options');
	const fileOptions = readFileOptions(options);
	const text = readText(parameters, TEXT);
	const attachments = parameters.rows('attachments', 'attachment').map((row, index) => {
		const which = `Attachment ${index + 1}`;
		const source = row.text('source', `${which}: Source`) || 'url';
		return source === 'binary' ? attachmentByField(row, which, fileOptions) : attachmentByUrl(row, which);
	});
	if (text.trim() === '' && attachments.length === 0) {
		throw new InputError('The message has neither Text nor Attachments', 'Give at least one of the two.');
	}
	const automated = { 'messagingapi-oc': { type: 'AutomatedMessage' } } as const;
	return {
		type: 'message',
		...withoutEmpty({
			id: options.id('messageId', 'Message ID'),
			from: readSender(options),
			text,
			attachments: attachments.length === 0 ? undefined : attachments,
			channelData: options.flag('automated', 'Automated') ? automated : undefined,
		}),
	};
}
