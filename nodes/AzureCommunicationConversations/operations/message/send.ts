import type { INodeProperties } from 'n8n-workflow';
import type { MessageContent, SendMessageRequest } from '../../../../emulator/communication/contract';
import { conversationOrderingKey } from '../../../shared/action/fields/locator';
import { optionsField } from '../../../shared/action/fields/options';
import { stringField } from '../../../shared/action/fields/text';
import type { ParameterReader } from '../../../shared/action/parameters';
import { nonEmptyText, readKey, withoutEmpty } from '../../../shared/json';
import { plainFileName } from '../../../shared/fileName';
import { InputError } from '../../../shared/transport/errors';
import { conversationPath, idempotentRequest } from '../../api/request';
import { conversationIdField, readConversationId, readStrategy, strategyField } from '../fields';
import type { Operation } from '../operation';
import { readMediaUrl } from './mediaUrl';
import { readRepetition, repetitionFields } from './repetition';
import { readTemplate, type Template } from './template';
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
		{ name: 'Template', value: 'template', description: 'What WhatsApp delivers at any time' },
		{ name: 'Text', value: 'text' },
		{ name: 'Video', value: 'video' },
	],
	description:
		'What is sent. On WhatsApp, everything but a template is delivered only within 24 hours of the customer’s last message.',
};

const contentFields: INodeProperties[] = [
	stringField('content', 'Text', 'What the business says', {
		typeOptions: { rows: 3 },
		required: true,
		displayOptions: { show: { kind: ['text'] } },
		placeholder: 'e.g. Your technician arrives at 9:30',
	}),
	stringField('mediaUri', 'Media URL', 'Where anybody can fetch the file, without a login', {
		required: true,
		displayOptions: { show: { kind: MEDIA_KINDS } },
		placeholder: 'e.g. https://example.com/files/offer.pdf',
	}),
	stringField('caption', 'Caption', 'Text that goes with the file', {
		displayOptions: { show: { kind: MEDIA_KINDS.filter((kind) => MEDIA[kind].caption) } },
	}),
	stringField('fileName', 'File Name', 'What the customer sees the file called', {
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
		if (content.trim() === '') throw new InputError('Text is empty', 'Give what is to be said.');
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
		throw new InputError('Kind is not one that can be sent', 'Choose it from the list.');
	}
	const { template, unused } = readTemplate(parameters);
	const hint =
		unused.length === 0
			? undefined
			: `Values of the template ${template.name} that no binding uses, so that they appear nowhere: ${unused.join(', ')}.`;
	return { message: { kind, template }, hint };
}

export const send: Operation = {
	operation: 'send',
	name: 'Send',
	action: 'Send a message as the business',
	description:
		'Say something to the participants of a conversation on behalf of the business: text, a file, or a WhatsApp template',
	effect: 'send',
	fields: [conversationIdField, kindField, ...contentFields, strategyField, optionsField(repetitionFields)],
	plan: (parameters) => {
		const conversationId = readConversationId(parameters);
		const { message, hint } = readMessage(parameters);
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
		};
	},
};
