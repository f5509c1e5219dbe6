import type { INodeProperties } from 'n8n-workflow';
import type { MessageContent, SendMessageRequest } from '../../../../emulator/communication/contract';
import { conversationOrderingKey } from '../../../shared/action/fields/locator';
import { optionsField } from '../../../shared/action/fields/options';
import { stringField } from '../../../shared/action/fields/text';
import type { ParameterReader } from '../../../shared/action/parameters';
import { nonEmptyText, readKey, withoutEmpty } from '../../../shared/json';
import { plainFileName } from '../../../shared/fileName';
import { InputError } from '../../../shared/transport/errors';
import type { CallPlan } from '../../../shared/action/operation';
import { isGuid, tidyId } from '../../../shared/entra/appCredential';
import type { Connection } from '../../api/connection';
import { conversationPath, idempotentRequest, listRequest, templatesRequest } from '../../api/request';
import { conversationIdField, readConversationId, readStrategy, strategyField } from '../fields';
import type { Operation } from '../operation';
import { templateItem } from '../templateItem';
import { readMediaUrl } from './mediaUrl';
import { readRepetition, repetitionFields } from './repetition';
import { previewOf } from './preview';
import { readTemplate } from './readTemplate';
import type { Template } from './template';
import { readContent } from './templateContent';
import { templateFields } from './templateFields';

/**
 * The kinds of messages with a file, and their other fields. The service has further kinds, for messages that it returns.
 * Source: docs/service-facts.md#acs-messages.
 */
const MEDIA: Record<'image' | 'video' | 'document' | 'audio', { caption: boolean; fileName: boolean }> = {
	image: { caption: true, fileName: false },
	video: { caption: true, fileName: false },
	document: { caption: true, fileName: true },
	audio: { caption: false, fileName: false },
};
type MediaKind = keyof typeof MEDIA;
const MEDIA_KINDS = Object.keys(MEDIA) as MediaKind[];

function isMediaKind(kind: string): kind is MediaKind {
	return Object.hasOwn(MEDIA, kind);
}

const kindField: INodeProperties = {
	displayName: 'Kind',
	name: 'kind',
	type: 'options',
	default: 'text',
	options: [
		{ name: 'Audio', value: 'audio' },
		{ name: 'Document', value: 'document' },
		{ name: 'Image', value: 'image' },
		{ name: 'Template', value: 'template', description: 'The only kind that WhatsApp delivers at any time' },
		{ name: 'Text', value: 'text' },
		{ name: 'Video', value: 'video' },
	],
	description:
		'What to send. WhatsApp delivers texts and files only within 24 hours of the customer’s last message, and templates at any time.',
};

const contentFields: INodeProperties[] = [
	stringField('content', 'Text', 'The message to send', {
		typeOptions: { rows: 3 },
		required: true,
		displayOptions: { show: { kind: ['text'] } },
		placeholder: 'e.g. Your technician arrives at 9:30',
	}),
	stringField(
		'mediaUri',
		'Media URL',
		'The URL of the file. Anybody must be able to open it without a login.',
		{
			required: true,
			displayOptions: { show: { kind: MEDIA_KINDS } },
			placeholder: 'e.g. https://example.com/files/offer.pdf',
		},
	),
	stringField('caption', 'Caption', 'A text to send with the file', {
		displayOptions: { show: { kind: MEDIA_KINDS.filter((kind) => MEDIA[kind].caption) } },
	}),
	stringField('fileName', 'File Name', 'The file name that the customer sees', {
		displayOptions: { show: { kind: MEDIA_KINDS.filter((kind) => MEDIA[kind].fileName) } },
		placeholder: 'e.g. offer.pdf',
	}),
	...templateFields,
];

/** The content of a message. A template may have keys that the contract does not know yet. */
type Content = Exclude<MessageContent, { kind: 'template' }> | { kind: 'template'; template: Template };

/** Reads and checks the content of a message. The hint names values of a template that are not used. */
function readMessage(parameters: ParameterReader): { message: Content; hint?: string } {
	const kind = parameters.text('kind', 'Kind');
	if (kind === 'text') {
		const content = parameters.text('content', 'Text');
		if (content.trim() === '') throw new InputError('Text is empty', 'Enter the message.');
		return { message: { kind, content } };
	}
	if (isMediaKind(kind)) {
		const { caption, fileName } = MEDIA[kind];
		return {
			message: {
				kind,
				mediaUri: readMediaUrl(parameters.text('mediaUri', 'Media URL'), 'Media URL'),
				...withoutEmpty({
					caption: caption ? parameters.text('caption', 'Caption') : '',
					fileName: fileName ? plainFileName(parameters.text('fileName', 'File Name')) : '',
				}),
			},
		};
	}
	if (kind !== 'template') {
		throw new InputError('Kind is unknown', 'Choose it from the list.');
	}
	const { template, unused } = readTemplate(parameters);
	const hint =
		unused.length === 0
			? undefined
			: `No binding of the template ${template.name} uses these values, so the customer does not see them: ${unused.join(', ')}.`;
	return { message: { kind, template }, hint };
}

/** The most templates that are read for the previews of a run. Its page size makes ten requests of them. */
const MAX_TEMPLATES = 1_000;

/** Finds the channel whose templates are read for the preview; undefined where none is named, as the message needs none. */
function channelOf(
	parameters: ParameterReader,
	{ channelId }: Pick<Connection, 'channelId'>,
): string | undefined {
	const given = tidyId(parameters.raw('channelId'));
	return isGuid(given) ? given : given === '' ? channelId : undefined;
}

/**
 * Makes what adds the preview of a template to the item. It reads the templates of the channel once for the run, when
 * everything is sent, so it neither holds a message up nor makes one fail.
 */
function withPreview(template: Template, channelId: string): CallPlan['complete'] {
	const list = listRequest(templatesRequest(channelId), MAX_TEMPLATES);
	return async (items, lookUp) => {
		const { name, language } = template;
		const found = (await lookUp(list))
			.map(templateItem)
			.find((one) => one.name === name && one.language === language);
		const content = readContent(found?.content ?? null);
		return content ? items.map((item) => ({ ...item, preview: previewOf(content, template) })) : items;
	};
}

export const send: Operation = {
	operation: 'send',
	name: 'Send',
	action: 'Send a message as the business',
	description: 'Send a text, a file or a WhatsApp template to the participants of a conversation',
	effect: 'send',
	fields: [conversationIdField, kindField, ...contentFields, strategyField, optionsField(repetitionFields)],
	plan: (parameters, connection) => {
		const conversationId = readConversationId(parameters);
		const { message, hint } = readMessage(parameters);
		const channelId = message.kind === 'template' ? channelOf(parameters, connection) : undefined;
		const body: Omit<SendMessageRequest, 'request'> & { request: Content } = {
			request: message,
			outboundDeliveryStrategy: readStrategy(parameters),
		};
		return {
			kind: 'call',
			request: idempotentRequest(
				'POST',
				conversationPath(conversationId, '/messages:send'),
				body,
				`Check whether it is in conversation ${conversationId} (Message: Get Many) before you send it again.`,
				readRepetition(parameters.collection('options'), conversationId),
			),
			toItems: (answer) => [{ conversationId, messageId: nonEmptyText(readKey(answer, 'messageId')) }],
			orderingKey: conversationOrderingKey(conversationId),
			hint,
			...(message.kind === 'template' && channelId && { complete: withPreview(message.template, channelId) }),
		};
	},
};
