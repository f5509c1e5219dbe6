import { unescape } from 'node:querystring';
import type { INodeProperties } from 'n8n-workflow';
import { numberField, readNumber, type NumberField } from '../../shared/action/fields/number';
import {
	checkLength,
	limitHint,
	readText,
	readTrimmed,
	stringField,
	textField,
	type TextField,
} from '../../shared/action/fields/text';
import type { ItemFile, ParameterReader } from '../../shared/action/parameters';
import { withoutEmpty } from '../../shared/json';
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
		`What the customer says. ${limitHint(TEXT)}. May be empty if there are attachments.`,
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
			'Files that go with the message. Attachments of customers must be switched on for the channel in Dynamics 365.',
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
							{ name: 'Binary Field', value: 'binary', description: 'A file that the item carries' },
							{ name: 'URL', value: 'url', description: 'A file that Dynamics 365 can fetch' },
						],
						description: 'Where the file is',
					},
					stringField(
						'binaryPropertyName',
						'Input Data Field Name',
						'Name of the item’s binary field that holds the file',
						{
							default: 'data',
							displayOptions: { show: { source: ['binary'] } },
							placeholder: 'e.g. data',
						},
					),
					stringField(
						'url',
						'URL',
						'Where Dynamics 365 can fetch the file, or the file itself in base64 (best as a data URI)',
						{
							displayOptions: { show: { source: ['url'] } },
							placeholder: 'e.g. https://example.com/files/photo.jpg',
						},
					),
					textField(CONTENT_TYPE, {
						placeholder: 'e.g. image/jpeg',
						description:
							'MIME type of the file. Required with a URL; left empty, it is the one of the binary field or the data URI.',
					}),
					textField(FILE_NAME, {
						placeholder: 'e.g. photo.jpg',
						description:
							'Name of the file with its extension. Left empty, it is the end of the URL or the name of the binary field’s file.',
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
			{ name: 'Data URI', value: 'dataUri', description: 'Base64 with its content type before it' },
			{ name: 'Plain Base64', value: 'base64' },
		],
		description: 'How the file of a binary field is written. Try the other one if files do not open.',
	},
	booleanField(
		'automated',
		'Automated',
		'Whether the message is marked as automated, as one that a program or a language model wrote',
	),
	numberField(MAX_SIZE_MB, 'A larger file of a binary field is an error, before it is read'),
	stringField(
		'messageId',
		'Message ID',
		'Your own ID of the message. It is not the one that comes out as messageId, which the service gives.',
	),
	...senderFields,
];

/**
 * A URL, or a file in base64: as a data URI, or bare. A shorter text is rather a word than bare base64.
 * Source: docs/service-facts.md#attachments-sent.
 */
const CONTENT_URL = /^(https?:\/\/\S+|data:[^,]*;base64,[A-Za-z0-9+/]+=*|[A-Za-z0-9+/]{24,}=*)$/i;

/** What a URL tells of its file: a data URI its content type, any other URL the name at its end. */
function hintsOf(contentUrl: string): { contentType: string; name: string } {
	if (/^data:/i.test(contentUrl))
		return { contentType: /^data:([^;,]*)/i.exec(contentUrl)?.[1] ?? '', name: '' };
	const lastSegment = URL.canParse(contentUrl) ? new URL(contentUrl).pathname.split('/').at(-1) : undefined;
	return { contentType: '', name: unescape(lastSegment ?? '') };
}

/** Checks a file's name. Organizations block files by extension. Source: docs/service-facts.md#attachments-sent. */
function checkName(name: string, which: string): string {
	checkLength(name, FILE_NAME);
	if (name === '')
		throw new InputError(`${which} has no File Name`, 'Give one with its extension, such as photo.jpg.');
	if (!/[^.]\.[^.\s]+$/.test(name)) {
		throw new InputError(
			`${which}: the file name ${name} has no extension`,
			'Dynamics 365 goes by it: give a File Name such as photo.jpg.',
		);
	}
	return name;
}

function checkContentType(contentType: string, which: string): string {
	checkLength(contentType, CONTENT_TYPE);
	if (contentType === '') {
		throw new InputError(
			`${which} has no Content Type`,
			'Give its MIME type, such as image/jpeg or application/pdf.',
		);
	}
	return contentType;
}

function attachmentByUrl(row: ParameterReader, which: string): OutgoingAttachment {
	const contentUrl = row.text('url', `${which}: URL`).trim();
	if (!CONTENT_URL.test(contentUrl)) {
		throw new InputError(
			contentUrl === '' ? `${which} has no URL` : `${which}: URL is not one that can be fetched`,
			'Give a URL that starts with https://, or the file itself in base64, best as a data URI.',
		);
	}
	const hints = hintsOf(contentUrl);
	return {
		contentType: checkContentType(readTrimmed(row, CONTENT_TYPE) || hints.contentType, which),
		contentUrl,
		name: checkName(row.text(FILE_NAME.name, FILE_NAME.label).trim() || hints.name, which),
	};
}

interface FileOptions {
	encoding: 'dataUri' | 'base64';
	maxBytes: number;
}

const MEGABYTE = 1024 * 1024;

/** @throws InputError where a file is empty or too large. */
function checkFileSize(label: string, maxBytes: number, bytes: number): void {
	if (bytes === 0) throw new InputError(`${label} is empty`, 'Its binary field holds a file of 0 bytes.');
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
	const prefix = encoding === 'base64' ? '' : `data:${contentType.replace(/\s/g, '')};base64,`;
	parameters.beforeSending(async () => checkFileSize(label, maxBytes, await file.size()));
	const read = async () => {
		const data = await file.read();
		checkFileSize(label, maxBytes, data.length);
		return data;
	};
	return new EmbeddedFile(read, prefix);
}

function attachmentByField(row: ParameterReader, which: string, options: FileOptions): OutgoingAttachment {
	const property = row.text('binaryPropertyName', `${which}: Input Data Field Name`).trim();
	const file = property === '' ? undefined : row.file(property);
	if (!file) {
		const known = row.fileProperties();
		throw new InputError(
			property === ''
				? `${which} has no Input Data Field Name`
				: `${which}: there is no binary field “${property}”`,
			known.length === 0
				? 'The item carries no files: check the node before this one.'
				: `The item has: ${known.join(', ')}. Name one; add an attachment for each further file.`,
		);
	}
	// Some nodes give a file no name, but its extension is known from its type.
	const ownName = file.fileName?.trim() || (file.fileExtension ? `file.${file.fileExtension}` : '');
	const name = checkName(row.text(FILE_NAME.name, FILE_NAME.label).trim() || ownName, which);
	const contentType = checkContentType(readTrimmed(row, CONTENT_TYPE) || file.mimeType, which);
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
			id: options.text('messageId', 'Message ID').trim(),
			from: readSender(options),
			text,
			attachments: attachments.length === 0 ? undefined : attachments,
			channelData: options.flag('automated') ? automated : undefined,
		}),
	};
}
