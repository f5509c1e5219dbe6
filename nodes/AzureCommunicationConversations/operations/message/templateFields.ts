import type { INodeProperties } from 'n8n-workflow';
import { channelIdField } from '../fields';

const isTemplate = { kind: ['template'] };
const byFields = { kind: ['template'], templateSource: ['fields'] };

/** The fields of a template message: the channel, the template, and its placeholders. */
export const templateFields: INodeProperties[] = [
	{
		displayName: 'Enter Template As',
		name: 'templateSource',
		type: 'options',
		default: 'fields',
		displayOptions: { show: isTemplate },
		options: [
			{ name: 'Fields', value: 'fields', description: 'Choose the template and fill its placeholders' },
			{ name: 'JSON', value: 'json', description: 'Name, language, values and bindings in one object' },
		],
		description: 'How to enter the template',
	},
	channelIdField(
		'The channel (WhatsApp account) that has the template. It is used for the list, the placeholders and the preview.',
		{ displayOptions: { show: isTemplate } },
	),
	{
		displayName: 'Template',
		name: 'template',
		type: 'resourceLocator',
		default: { mode: 'list', value: '' },
		required: true,
		displayOptions: { show: byFields },
		description: 'An approved template of the channel, in one of its languages',
		modes: [
			{
				displayName: 'From List',
				name: 'list',
				type: 'list',
				typeOptions: { searchListMethod: 'searchTemplates', searchable: true },
			},
			{
				displayName: 'By Name and Language',
				name: 'name',
				type: 'string',
				placeholder: 'e.g. appointment_reminder|en_US',
			},
		],
	},
	{
		displayName: 'Placeholders',
		name: 'placeholders',
		type: 'resourceMapper',
		default: { mappingMode: 'defineBelow', value: null },
		noDataExpression: true,
		displayOptions: { show: byFields },
		description: 'What the placeholders of the template are filled with',
		typeOptions: {
			loadOptionsDependsOn: ['template.value', 'channelId'],
			resourceMapper: {
				resourceMapperMethod: 'getPlaceholders',
				mode: 'add',
				valuesLabel: 'Placeholders',
				fieldWords: { singular: 'placeholder', plural: 'placeholders' },
				addAllFields: true,
				supportAutoMap: false,
				multiKeyMatch: false,
			},
		},
	},
	{
		displayName: 'Template (JSON)',
		name: 'templateJson',
		type: 'json',
		default:
			'{\n  "name": "appointment_reminder",\n  "language": "en_US",\n  "values": [{ "name": "customerName", "kind": "text", "text": "Anna" }],\n  "bindings": { "kind": "whatsApp", "body": [{ "refValue": "customerName" }] }\n}',
		required: true,
		displayOptions: { show: { kind: ['template'], templateSource: ['json'] } },
		description: 'The template in the form of Azure Communication Services',
	},
];
