import type { INodeProperties } from 'n8n-workflow';

const byFields = { kind: ['template'], templateSource: ['fields'] };

/** The fields of one value: what it is called and is, then what its kind has. */
const valueFields: INodeProperties[] = [
	{
		displayName: 'Name',
		name: 'name',
		type: 'string',
		default: '',
		placeholder: 'e.g. customerName',
		description: 'Your own name for it, by which a binding refers to it',
	},
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
	{
		displayName: 'Text',
		name: 'text',
		type: 'string',
		default: '',
		displayOptions: { show: { kind: ['text', 'quickAction'] } },
		description: 'The text. Of a button of the kind URL, the end of its address.',
	},
	{
		displayName: 'Payload',
		name: 'payload',
		type: 'string',
		default: '',
		displayOptions: { show: { kind: ['quickAction'] } },
		description: 'What you get back when the customer presses a quick reply',
	},
	{
		displayName: 'URL',
		name: 'url',
		type: 'string',
		default: '',
		displayOptions: { show: { kind: ['document', 'image', 'video'] } },
		placeholder: 'e.g. https://example.com/files/offer.pdf',
		description: 'Where anybody can fetch the file',
	},
	{
		displayName: 'Caption',
		name: 'caption',
		type: 'string',
		default: '',
		displayOptions: { show: { kind: ['document', 'image', 'video'] } },
	},
	{
		displayName: 'File Name',
		name: 'fileName',
		type: 'string',
		default: '',
		displayOptions: { show: { kind: ['document', 'image', 'video'] } },
		placeholder: 'e.g. offer.pdf',
	},
	{
		displayName: 'Latitude',
		name: 'latitude',
		type: 'number',
		default: 0,
		typeOptions: { minValue: -90, maxValue: 90, numberPrecision: 6 },
		displayOptions: { show: { kind: ['location'] } },
	},
	{
		displayName: 'Longitude',
		name: 'longitude',
		type: 'number',
		default: 0,
		typeOptions: { minValue: -180, maxValue: 180, numberPrecision: 6 },
		displayOptions: { show: { kind: ['location'] } },
	},
	{
		displayName: 'Location Name',
		name: 'locationName',
		type: 'string',
		default: '',
		displayOptions: { show: { kind: ['location'] } },
		placeholder: 'e.g. Contoso Berlin',
	},
	{
		displayName: 'Address',
		name: 'address',
		type: 'string',
		default: '',
		displayOptions: { show: { kind: ['location'] } },
	},
];

/** The fields of a template message: what the template is, its values, and where they go. */
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
	{
		displayName: 'Channel ID (for the Lists)',
		name: 'channelId',
		type: 'string',
		default: '',
		displayOptions: { show: byFields },
		placeholder: 'e.g. 9d30742c-1a2b-4c3d-8e4f-5a6b7c8d9e0f',
		description:
			'The channel (WhatsApp account) whose templates the two lists show. Not sent: you may leave it empty if you type name and language.',
	},
	{
		displayName: 'Template Name',
		name: 'templateName',
		type: 'resourceLocator',
		default: { mode: 'list', value: '' },
		required: true,
		displayOptions: { show: byFields },
		description: 'An approved template of the channel',
		modes: [
			{
				displayName: 'From List',
				name: 'list',
				type: 'list',
				typeOptions: { searchListMethod: 'searchTemplates', searchable: true },
			},
			{ displayName: 'By Name', name: 'name', type: 'string', placeholder: 'e.g. appointment_reminder' },
		],
	},
	{
		displayName: 'Template Language',
		name: 'templateLanguage',
		type: 'resourceLocator',
		default: { mode: 'list', value: '' },
		required: true,
		displayOptions: { show: byFields },
		description: 'A language in which the template is approved',
		modes: [
			{
				displayName: 'From List',
				name: 'list',
				type: 'list',
				typeOptions: { searchListMethod: 'searchTemplateLanguages', searchable: true },
			},
			{ displayName: 'By Code', name: 'code', type: 'string', placeholder: 'e.g. en_US' },
		],
	},
	{
		displayName: 'Values',
		name: 'templateValues',
		type: 'fixedCollection',
		typeOptions: { multipleValues: true },
		placeholder: 'Add value',
		default: {},
		displayOptions: { show: byFields },
		description: 'What the places of the template are filled with. Bindings say where each goes.',
		options: [
			{
				displayName: 'Value',
				name: 'value',
				values: valueFields,
			},
		],
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
					{
						displayName: 'Value Name',
						name: 'refValue',
						type: 'string',
						default: '',
						placeholder: 'e.g. customerName',
						description: 'The Name of one of the values',
					},
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
