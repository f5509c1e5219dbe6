import type { INodeProperties, INodePropertyMode } from 'n8n-workflow';
import { stringField } from '../../../shared/action/fields/text';
import { channelIdField } from '../fields';
import { kindsWith } from './template';

const byFields = { kind: ['template'], templateSource: ['fields'] };

/** Makes the field for a key of a value, shown for the kinds of values that have it. @param more its other properties. */
function valueField(displayName: string, name: string, more: Partial<INodeProperties> = {}): INodeProperties {
	const displayOptions = { show: { kind: kindsWith(name) } };
	return { displayName, name, type: 'string', default: '', displayOptions, ...more };
}

/** The fields of one value: its name, its kind, and the keys of each kind. */
const valueFields: INodeProperties[] = [
	stringField('name', 'Name', 'Your own name for it, by which a binding refers to it', {
		placeholder: 'e.g. customerName',
	}),
	{
		displayName: 'Kind',
		name: 'kind',
		type: 'options',
		default: 'text',
		options: [
			{ name: 'Button Action', value: 'quickAction', description: 'What a button says and sends' },
			{ name: 'Document', value: 'document' },
			{ name: 'Image', value: 'image' },
			{ name: 'Location', value: 'location' },
			{ name: 'Text', value: 'text' },
			{ name: 'Video', value: 'video' },
		],
	},
	valueField('Text', 'text', {
		description: 'The text. Of a button of the kind URL, the end of its address.',
	}),
	valueField('Payload', 'payload', {
		description: 'What you get back when the customer presses a quick reply',
	}),
	valueField('URL', 'url', {
		placeholder: 'e.g. https://example.com/files/offer.pdf',
		description: 'Where anybody can fetch the file',
	}),
	valueField('Caption', 'caption'),
	valueField('File Name', 'fileName', { placeholder: 'e.g. offer.pdf' }),
	valueField('Latitude', 'latitude', {
		type: 'number',
		default: 0,
		typeOptions: { minValue: -90, maxValue: 90, numberPrecision: 6 },
	}),
	valueField('Longitude', 'longitude', {
		type: 'number',
		default: 0,
		typeOptions: { minValue: -180, maxValue: 180, numberPrecision: 6 },
	}),
	valueField('Location Name', 'locationName', { placeholder: 'e.g. Contoso Berlin' }),
	valueField('Address', 'address'),
];

/** Makes a field for a part of the template, from the list of the channel's templates or typed. */
function templateLocator(
	field: Pick<INodeProperties, 'displayName' | 'name' | 'description'>,
	searchListMethod: string,
	typed: Pick<INodePropertyMode, 'displayName' | 'name' | 'placeholder'>,
): INodeProperties {
	return {
		...field,
		type: 'resourceLocator',
		default: { mode: 'list', value: '' },
		required: true,
		displayOptions: { show: byFields },
		modes: [
			{
				displayName: 'From List',
				name: 'list',
				type: 'list',
				typeOptions: { searchListMethod, searchable: true },
			},
			{ ...typed, type: 'string' },
		],
	};
}

/** The fields of a template message: the template, its values, and where each value goes. */
export const templateFields: INodeProperties[] = [
	{
		displayName: 'Enter Template As',
		name: 'templateSource',
		type: 'options',
		default: 'fields',
		displayOptions: { show: { kind: ['template'] } },
		options: [
			{ name: 'Fields', value: 'fields' },
			{ name: 'JSON', value: 'json', description: 'Name, language, values and bindings as one object' },
		],
		description: 'How the template is given',
	},
	channelIdField(
		'The channel (WhatsApp account) whose templates the two lists show. Not sent: you may leave it empty if you type name and language.',
		{ displayName: 'Channel ID (for the Lists)', displayOptions: { show: byFields } },
	),
	templateLocator(
		{
			displayName: 'Template Name',
			name: 'templateName',
			description: 'An approved template of the channel',
		},
		'searchTemplates',
		{ displayName: 'By Name', name: 'name', placeholder: 'e.g. appointment_reminder' },
	),
	templateLocator(
		{
			displayName: 'Template Language',
			name: 'templateLanguage',
			description: 'A language in which the template is approved',
		},
		'searchTemplateLanguages',
		{ displayName: 'By Code', name: 'code', placeholder: 'e.g. en_US' },
	),
	{
		displayName: 'Values',
		name: 'templateValues',
		type: 'fixedCollection',
		typeOptions: { multipleValues: true },
		placeholder: 'Add value',
		default: {},
		displayOptions: { show: byFields },
		description: 'What the places of the template are filled with. Bindings say where each goes.',
		options: [{ displayName: 'Value', name: 'value', values: valueFields }],
	},
	{
		displayName: 'Bindings',
		name: 'templateBindings',
		type: 'fixedCollection',
		typeOptions: { multipleValues: true },
		placeholder: 'Add binding',
		default: {},
		displayOptions: { show: byFields },
		description: 'Which value goes where. Several of one place fill its {{1}}, {{2}} … in their order.',
		options: [
			{
				displayName: 'Binding',
				name: 'binding',
				values: [
					{
						displayName: 'Place',
						name: 'place',
						type: 'options',
						default: 'body',
						options: [
							{ name: 'Body', value: 'body' },
							{ name: 'Button: Quick Reply', value: 'quickReplyButton' },
							{ name: 'Button: URL', value: 'urlButton' },
							{ name: 'Footer', value: 'footer' },
							{ name: 'Header', value: 'header' },
						],
					},
					stringField('refValue', 'Value Name', 'The Name of one of the values', {
						placeholder: 'e.g. customerName',
					}),
				],
			},
		],
	},
	{
		displayName: 'Template (JSON)',
		name: 'template',
		type: 'json',
		default:
			'{\n  "name": "appointment_reminder",\n  "language": "en_US",\n  "values": [{ "name": "customerName", "kind": "text", "text": "Anna" }],\n  "bindings": { "kind": "whatsApp", "body": [{ "refValue": "customerName" }] }\n}',
		required: true,
		displayOptions: { show: { kind: ['template'], templateSource: ['json'] } },
		description: 'The template as Azure Communication Services takes it',
	},
];
