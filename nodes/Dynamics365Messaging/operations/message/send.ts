import { unescape } from 'node:querystring';
import type { INodeProperties } from 'n8n-workflow';
import { InputError } from '../../api/errors';
import { activityRequest, sentItem } from '../activity';
import {
	checkLength,
	conversationIdField,
	limitHint,
	optionsField,
	readConversationId,
	readSender,
	readText,
	readTrimmed,
	senderFields,
	type TextField,
} from '../fields';
import type { ParameterReader } from '../parameters';
import type { Operation } from '../types';

/** Source: seed 002, message payload field reference. */
const TEXT: TextField = { name: 'text', label: 'Text', maxLength: 6000 };
const CONTENT_TYPE: TextField = { name: 'contentType', label: 'Content Type', maxLength: 256 };
const FILE_NAME: TextField = { name: 'name', label: 'File Name', maxLength: 256 };

const fields: INodeProperties[] = [
	conversationIdField,
	{
		displayName: TEXT.label,
		name: TEXT.name,
		type: 'string',
		typeOptions: { rows: 3 },
		default: '',
		placeholder: 'e.g. My heat pump is loud',
		description: `What the customer says. ${limitHint(TEXT)}. May be empty if there are attachments.`,
	},
	{
		displayName: 'Attachments',
		name: 'attachments',
		type: 'fixedCollection',
		typeOptions: { multipleValues: true },
		placeholder: 'Add attachment',
		default: {},
		description: 'Files that go with the message. They must be switched on for customers in Dynamics 365.',
		options: [
			{
				displayName: 'Attachment',
				name: 'attachment',
				values: [
					{
						displayName: 'URL',
						name: 'url',
						type: 'string',
						default: '',
						placeholder: 'e.g. https://example.com/files/photo.jpg',
						description:
							'Where Dynamics 365 can fetch the file, or the file itself in base64 (best as a data URI)',
					},
					{
						displayName: CONTENT_TYPE.label,
						name: CONTENT_TYPE.name,
						type: 'string',
						default: '',
						placeholder: 'e.g. image/jpeg',
						description: `MIME type of the file. ${limitHint(CONTENT_TYPE)}.`,
					},
					{
						displayName: FILE_NAME.label,
						name: FILE_NAME.name,
						type: 'string',
						default: '',
						placeholder: 'e.g. photo.jpg',
						description: `Name of the file with its extension, if it is not the end of the URL. ${limitHint(FILE_NAME)}.`,
					},
				],
			},
		],
	},
	optionsField([
		{
			displayName: 'Automated',
			name: 'automated',
			type: 'boolean',
			default: false,
			description: 'Whether the message is marked as one that no person wrote',
		},
		{
			displayName: 'Message ID',
			name: 'messageId',
			type: 'string',
			default: '',
			description: 'ID for the message, from your own channel',
		},
		...senderFields,
	]),
];

/**
 * A URL, or a file in base64: as a data URI, or bare. Shorter than that, bare base64 is rather a word.
 * Source: seed 002, contentUrl.
 */
const CONTENT_URL = /^(https?:\/\/\S+|data:[^,]*;base64,[A-Za-z0-9+/]+=*|[A-Za-z0-9+/]{24,}=*)$/i;

/** What a URL says of its file: a data URI its type, any other the name at its end. */
function hintsOf(contentUrl: string): { contentType: string; name: string } {
	if (/^data:/i.test(contentUrl))
		return { contentType: /^data:([^;,]*)/i.exec(contentUrl)?.[1] ?? '', name: '' };
	const lastSegment = URL.canParse(contentUrl) ? new URL(contentUrl).pathname.split('/').at(-1) : undefined;
	return { contentType: '', name: unescape(lastSegment ?? '') };
}

function readAttachment(row: ParameterReader, index: number): Record<string, unknown> {
	const which = `Attachment ${index + 1}`;
	const contentUrl = row.text('url', `${which}: URL`).trim();
	if (!CONTENT_URL.test(contentUrl)) {
		throw new InputError(
			contentUrl === '' ? `${which} has no URL` : `${which}: URL is not one that can be fetched`,
			'Give a URL that starts with https://, or the file itself in base64, best as a data URI.',
		);
	}
	const hints = hintsOf(contentUrl);
	const contentType = readTrimmed(row, CONTENT_TYPE) || checkLength(hints.contentType, CONTENT_TYPE);
	if (contentType === '') {
		throw new InputError(
			`${which} has no Content Type`,
			'Give its MIME type, such as image/jpeg or application/pdf.',
		);
	}
	const name = checkLength(row.text(FILE_NAME.name, FILE_NAME.label).trim() || hints.name, FILE_NAME);
	if (name === '')
		throw new InputError(`${which} has no File Name`, 'Give one with its extension, such as photo.jpg.');
	return { contentType, contentUrl, name };
}

export const send: Operation = {
	resource: 'message',
	operation: 'send',
	name: 'Send',
	action: 'Send a message',
	description:
		'Say something in a conversation on behalf of the customer. Leave Retry On Fail off: it would send what arrived already once more.',
	fields,
	plan: (parameters, channelId) => {
		const conversationId = readConversationId(parameters);
		const text = readText(parameters, TEXT);
		const attachments = parameters.rows('attachments', 'attachment').map(readAttachment);
		if (text.trim() === '' && attachments.length === 0) {
			throw new InputError('The message has neither Text nor Attachments', 'Give at least one of the two.');
		}
		const options = parameters.collection('options');
		return {
			kind: 'call',
			request: activityRequest(channelId, conversationId, {
				type: 'message',
				id: options.text('messageId', 'Message ID').trim(),
				from: readSender(options),
				text,
				attachments: attachments.length === 0 ? undefined : attachments,
				channelData: options.flag('automated')
					? { 'messagingapi-oc': { type: 'AutomatedMessage' } }
					: undefined,
			}),
			toItems: sentItem(conversationId),
		};
	},
};
