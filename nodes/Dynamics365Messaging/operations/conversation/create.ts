import type { INodeProperties } from 'n8n-workflow';
import { InputError } from '../../api/errors';
import { isRecord, parseJson, readKey, textOf } from '../../api/json';
import {
	limitHint,
	messageIdOf,
	optionsField,
	readTrimmed,
	unlessEmpty,
	withoutEmpty,
	type TextField,
} from '../fields';
import type { ParameterReader } from '../parameters';
import type { Operation } from '../types';

/** Source: seed 004, customercontext. */
const CUSTOMER_ID: TextField = { name: 'customerId', label: 'Customer ID', maxLength: 200 };
const CUSTOMER: Array<TextField & { key: string; placeholder: string; description: string }> = [
	{
		name: 'email',
		label: 'Email',
		maxLength: 200,
		key: 'email',
		placeholder: 'e.g. name@email.com',
		description: 'Finds the customer’s record, whose names then win over the ones given here',
	},
	{
		name: 'firstName',
		label: 'First Name',
		maxLength: 200,
		key: 'firstname',
		placeholder: 'e.g. Nathan',
		description: 'First name of the customer',
	},
	{
		name: 'lastName',
		label: 'Last Name',
		maxLength: 200,
		key: 'lastname',
		placeholder: 'e.g. Smith',
		description: 'Last name of the customer',
	},
	{
		name: 'phoneNumber',
		label: 'Phone Number',
		maxLength: 200,
		key: 'phonenumber',
		placeholder: 'e.g. +31612345678',
		description: 'Finds the customer’s record, whose names then win over the ones given here',
	},
	{
		name: 'preferredName',
		label: 'Preferred Name',
		maxLength: 200,
		key: 'preferredname',
		placeholder: 'e.g. Nathan Smith',
		description: 'Name that the representative sees',
	},
];

/** Source: shared reference, create body. */
const MAX_CONTEXT_VARIABLES = 100;
const START_MESSAGE_MAX_BYTES = 27 * 1024;

/** The newer path is what Microsoft documents since January 2026, the older one is seed 004's. */
const CREATE_PATHS = ['/conversation/create', '/conversations/create'];

const fields: INodeProperties[] = [
	{
		displayName: CUSTOMER_ID.label,
		name: CUSTOMER_ID.name,
		type: 'string',
		default: '',
		placeholder: 'e.g. jdoe123',
		description: `Your own ID of the customer. If a conversation with this ID is active, that one is returned instead of a new one. ${limitHint(CUSTOMER_ID)}.`,
	},
	{
		displayName: 'Customer',
		name: 'customer',
		type: 'collection',
		placeholder: 'Add field',
		default: {},
		options: CUSTOMER.map(({ name, label, placeholder, description, maxLength }) => ({
			displayName: label,
			name,
			type: 'string',
			default: '',
			placeholder,
			description: `${description}. ${limitHint({ name, label, maxLength })}.`,
		})),
	},
	{
		displayName: 'Specify Context Variables',
		name: 'contextMode',
		type: 'options',
		default: 'fields',
		options: [
			{ name: 'Using Fields Below', value: 'fields' },
			{ name: 'Using JSON', value: 'json' },
		],
		description: 'How to say what the representative and the routing rules should know',
	},
	{
		displayName: 'Context Variables',
		name: 'contextVariables',
		type: 'fixedCollection',
		typeOptions: { multipleValues: true },
		placeholder: 'Add variable',
		default: {},
		displayOptions: { show: { contextMode: ['fields'] } },
		description: `What the representative and the routing rules should know. At most ${MAX_CONTEXT_VARIABLES}.`,
		options: [
			{
				displayName: 'Variable',
				name: 'variable',
				values: [
					{
						displayName: 'Name',
						name: 'name',
						type: 'string',
						default: '',
						placeholder: 'e.g. productName',
						description: 'Name of the context variable',
					},
					{
						displayName: 'Value',
						name: 'value',
						type: 'string',
						default: '',
						placeholder: 'e.g. Heat pump 7',
						description: 'Value of the context variable',
					},
					{
						displayName: 'Show to Representative',
						name: 'isDisplayable',
						type: 'boolean',
						default: true,
						description: 'Whether the representative sees it',
					},
				],
			},
		],
	},
	{
		displayName: 'Context Variables (JSON)',
		name: 'contextJson',
		type: 'json',
		default: '{}',
		displayOptions: { show: { contextMode: ['json'] } },
		placeholder: 'e.g. { "productName": "Heat pump 7" }',
		description: `An object of names and values; a value can also be an object with value and isDisplayable. At most ${MAX_CONTEXT_VARIABLES}.`,
	},
	optionsField([
		{
			displayName: 'Create Path',
			name: 'createPath',
			type: 'options',
			default: '/conversation/create',
			options: CREATE_PATHS.map((path) => ({ name: path, value: path })),
			description: 'The older path is for organizations that do not have the newer one yet',
		},
		{
			displayName: 'Request ID',
			name: 'requestId',
			type: 'string',
			default: '',
			description: 'ID for your own records. The service does not promise to recognize a repeated one.',
		},
		{
			displayName: 'Skip AI Agent',
			name: 'skipAiAgent',
			type: 'boolean',
			default: false,
			description: 'Whether the conversation goes to a representative without an AI agent first',
		},
		{
			displayName: 'Start Message',
			name: 'startMessage',
			type: 'string',
			typeOptions: { rows: 2 },
			default: '',
			description: `First words of the customer, at most ${START_MESSAGE_MAX_BYTES / 1024} KB. They reach only the representative, not the AI agent, and are not delivered if the conversation is active already.`,
		},
		{
			displayName: 'Start Message Display Name',
			name: 'startMessageDisplayName',
			type: 'string',
			default: '',
			description: 'Name beside the start message',
		},
	]),
];

type ContextVariable = [name: string, value: { isDisplayable: boolean; value: unknown }];

function variablesFromFields(parameters: ParameterReader): ContextVariable[] {
	return parameters.rows('contextVariables', 'variable').map((row): ContextVariable => {
		const isDisplayable = row.raw('isDisplayable') === undefined || row.flag('isDisplayable');
		return [
			row.text('name', 'Context Variables: Name'),
			{ isDisplayable, value: row.text('value', 'Context Variables: Value') },
		];
	});
}

function variablesFromJson(parameters: ParameterReader): ContextVariable[] {
	const raw = parameters.raw('contextJson');
	const object = typeof raw === 'string' ? (raw.trim() === '' ? {} : parseJson(raw)) : (raw ?? {});
	if (!isRecord(object)) {
		throw new InputError(
			'Context Variables (JSON) is not a JSON object',
			'For example { "productName": "Heat pump 7" }',
		);
	}
	return Object.entries(object).map(([name, given]): ContextVariable => {
		if (!isRecord(given)) return [name, { isDisplayable: true, value: given }];
		const { value, isDisplayable = true, ...rest } = given;
		if (
			!Object.hasOwn(given, 'value') ||
			Object.keys(rest).length > 0 ||
			typeof isDisplayable !== 'boolean'
		) {
			throw new InputError(
				`Context Variables (JSON): ${name} is not a value that can be sent`,
				'Give a text, a number or a boolean, or an object with value and isDisplayable (true or false).',
			);
		}
		return [name, { isDisplayable, value }];
	});
}

function checkVariables(variables: ContextVariable[]): Record<string, unknown> | undefined {
	if (variables.length > MAX_CONTEXT_VARIABLES) {
		throw new InputError(
			`Context Variables has more than ${MAX_CONTEXT_VARIABLES} entries`,
			`It has ${variables.length}. Leave some out.`,
		);
	}
	const names = new Set<string>();
	for (const [name, { value }] of variables) {
		if (name.trim() === '')
			throw new InputError('Context Variables has an entry without a name', 'Give each a name.');
		if (names.has(name)) {
			throw new InputError(
				`Context Variables has ${name} twice`,
				'Only one of them would arrive: remove the other.',
			);
		}
		if (!['string', 'number', 'boolean'].includes(typeof value)) {
			throw new InputError(
				`Context Variables: ${name} is not a value that can be sent`,
				'Give a text, a number or a boolean.',
			);
		}
		names.add(name);
	}
	return variables.length === 0 ? undefined : Object.fromEntries(variables);
}

function readCustomer(parameters: ParameterReader): Record<string, unknown> | undefined {
	const customer = parameters.collection('customer');
	const given = CUSTOMER.map((field) => [field.key, readTrimmed(customer, field)] as const);
	const email = given.find(([key]) => key === 'email')?.[1] ?? '';
	if (email !== '' && !/^[^\s@]+@[^\s@]+$/.test(email)) {
		throw new InputError(
			'Email is not an e-mail address',
			'Give one such as name@email.com, or leave it empty.',
		);
	}
	return unlessEmpty({ customerid: readTrimmed(parameters, CUSTOMER_ID), ...Object.fromEntries(given) });
}

function readStartMessage(options: ParameterReader): Record<string, unknown> | undefined {
	const message = options.text('startMessage', 'Start Message');
	const bytes = Buffer.byteLength(message, 'utf8');
	if (bytes > START_MESSAGE_MAX_BYTES) {
		throw new InputError(
			`Start Message is longer than ${START_MESSAGE_MAX_BYTES / 1024} KB`,
			`It has ${bytes.toLocaleString('en-US')} bytes. Shorten it, or send it as messages.`,
		);
	}
	if (message === '') return undefined;
	return withoutEmpty({
		message,
		displayname: options.text('startMessageDisplayName', 'Start Message Display Name'),
	});
}

function readCreatePath(options: ParameterReader): string {
	const path = options.text('createPath', 'Create Path') || '/conversation/create';
	if (!CREATE_PATHS.includes(path))
		throw new InputError('Create Path is unknown', `Choose ${CREATE_PATHS.join(' or ')}.`);
	return path;
}

export const create: Operation = {
	resource: 'conversation',
	operation: 'create',
	name: 'Create',
	action: 'Create a conversation',
	description: 'Open a conversation for a customer, or get the active one of the same customer ID',
	fields,
	plan: (parameters) => {
		const options = parameters.collection('options');
		const mode = parameters.text('contextMode', 'Specify Context Variables');
		const variables = mode === 'json' ? variablesFromJson(parameters) : variablesFromFields(parameters);
		return {
			kind: 'call',
			request: {
				method: 'POST',
				path: readCreatePath(options),
				body: withoutEmpty({
					customercontext: readCustomer(parameters),
					conversationcontext: checkVariables(variables),
					conversationrequestid: options.text('requestId', 'Request ID').trim(),
					startmessage: readStartMessage(options),
					skipdeflectionbot: options.flag('skipAiAgent') || undefined,
				}),
			},
			toItems: (answer) => [
				{
					conversationId: textOf(readKey(answer, 'conversationId')),
					isNew: readKey(answer, 'isNew') === true,
					messageId: messageIdOf(answer),
				},
			],
		};
	},
};
