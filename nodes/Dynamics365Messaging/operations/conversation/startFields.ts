import type { INodeProperties } from 'n8n-workflow';
import type {
	ContextVariable,
	ConversationContext,
	CustomerContext,
	StartMessage,
} from '../../../../emulator/messaging/contract';
import { readTrimmed, textField, type TextField } from '../../../shared/action/fields/text';
import type { ParameterReader } from '../../../shared/action/parameters';
import { isRecord, parseJson, unlessEmpty, withoutEmpty } from '../../../shared/json';
import { InputError } from '../../../shared/transport/errors';
import type { ConversationStart } from '../../messagingApi/startConversation';

/** Of the customer's ID and of each further field. Source: docs/service-facts.md#create-body. */
const MAX_LENGTH = 200;
export const CUSTOMER_ID: TextField = { name: 'customerId', label: 'Customer ID', maxLength: MAX_LENGTH };

/** What finds the customer's record in Dynamics 365. */
const FINDS_RECORD =
	'of the customer. It finds their record in Dynamics 365, whose names then win over the ones given here.';

const CUSTOMER: Array<TextField & { key: keyof CustomerContext; placeholder: string; description: string }> =
	[
		{
			name: 'email',
			label: 'Email',
			maxLength: MAX_LENGTH,
			key: 'email',
			placeholder: 'e.g. name@email.com',
			description: `Email address ${FINDS_RECORD}`,
		},
		{
			name: 'firstName',
			label: 'First Name',
			maxLength: MAX_LENGTH,
			key: 'firstname',
			placeholder: 'e.g. Nathan',
			description: 'First name of the customer.',
		},
		{
			name: 'lastName',
			label: 'Last Name',
			maxLength: MAX_LENGTH,
			key: 'lastname',
			placeholder: 'e.g. Smith',
			description: 'Last name of the customer.',
		},
		{
			name: 'phoneNumber',
			label: 'Phone Number',
			maxLength: MAX_LENGTH,
			key: 'phonenumber',
			placeholder: 'e.g. +31612345678',
			description: `Phone number ${FINDS_RECORD}`,
		},
		{
			name: 'preferredName',
			label: 'Preferred Name',
			maxLength: MAX_LENGTH,
			key: 'preferredname',
			placeholder: 'e.g. Nathan Smith',
			description: 'Name of the customer that the representative sees.',
		},
	];

/** Source: docs/service-facts.md#create-body. */
const MAX_CONTEXT_VARIABLES = 100;

/**
 * The path that Microsoft documents now, and the one that it documented first.
 * Source: docs/service-facts.md#create-paths.
 */
const CREATE_PATHS: [string, string] = ['/conversation/create', '/conversations/create'];

/** Who the customer is, and what the representative should know: the fields of everything that opens a conversation. */
export const customerFields: INodeProperties[] = [
	{
		displayName: 'Customer',
		name: 'customer',
		type: 'collection',
		placeholder: 'Add field',
		default: {},
		options: CUSTOMER.map((field) =>
			textField(field, { placeholder: field.placeholder, description: field.description }),
		),
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
		description: `What the representative and the routing rules should know of the customer or the case. At most ${MAX_CONTEXT_VARIABLES}.`,
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
						description: 'Whether the representative sees the variable',
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
		description: `JSON object of what the representative and the routing rules should know, by name, such as { "productName": "Heat pump 7" }. A value is a text, a number, a boolean, or an object with value and isDisplayable (whether the representative sees it). At most ${MAX_CONTEXT_VARIABLES}.`,
	},
];

/** The options of opening a conversation, but for the start message. */
export const startOptions: Record<
	'createPath' | 'requestId' | 'skipAiAgent' | 'displayName',
	INodeProperties
> = {
	createPath: {
		displayName: 'Create Path',
		name: 'createPath',
		type: 'options',
		default: '/conversation/create',
		options: [
			{ name: 'Current', value: CREATE_PATHS[0], description: CREATE_PATHS[0] },
			{ name: 'Older', value: CREATE_PATHS[1], description: CREATE_PATHS[1] },
		],
		description: 'The older path is for organizations that do not have the newer one yet',
	},
	requestId: {
		displayName: 'Request ID',
		name: 'requestId',
		type: 'string',
		default: '',
		description: 'ID for your own records. The service does not promise to recognize a repeated one.',
	},
	skipAiAgent: {
		displayName: 'Skip AI Agent',
		name: 'skipAiAgent',
		type: 'boolean',
		default: false,
		description: 'Whether the conversation goes to a representative at once, without an AI agent first',
	},
	displayName: {
		displayName: 'Display Name',
		name: 'startMessageDisplayName',
		type: 'string',
		default: '',
		description: 'Name of the customer beside the start message',
	},
};

/** A variable by its name, before its value is checked. */
type GivenVariable = [name: string, value: { isDisplayable: boolean; value: unknown }];

function variablesFromFields(parameters: ParameterReader): GivenVariable[] {
	return parameters.rows('contextVariables', 'variable').map((row): GivenVariable => {
		const isDisplayable = row.raw('isDisplayable') === undefined || row.flag('isDisplayable');
		return [
			row.text('name', 'Context Variables: Name'),
			{ isDisplayable, value: row.text('value', 'Context Variables: Value') },
		];
	});
}

function variablesFromJson(parameters: ParameterReader): GivenVariable[] {
	const raw = parameters.raw('contextJson');
	const object = typeof raw === 'string' ? (raw.trim() === '' ? {} : parseJson(raw)) : (raw ?? {});
	if (!isRecord(object)) {
		throw new InputError(
			'Context Variables (JSON) is not a JSON object',
			'For example { "productName": "Heat pump 7" }',
		);
	}
	return Object.entries(object).map(([name, given]): GivenVariable => {
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

/** Whether a value is one that the service takes. */
function isSendable(value: unknown): value is ContextVariable['value'] {
	return ['string', 'number', 'boolean'].includes(typeof value);
}

function checkVariables(variables: GivenVariable[]): ConversationContext | undefined {
	if (variables.length > MAX_CONTEXT_VARIABLES) {
		throw new InputError(
			`Context Variables has more than ${MAX_CONTEXT_VARIABLES} entries`,
			`It has ${variables.length}. Leave some out.`,
		);
	}
	const checked = new Map<string, ContextVariable>();
	for (const [name, { isDisplayable, value }] of variables) {
		if (name.trim() === '')
			throw new InputError('Context Variables has an entry without a name', 'Give each a name.');
		if (checked.has(name)) {
			throw new InputError(
				`Context Variables has ${name} twice`,
				'Only one of them would arrive: remove the other.',
			);
		}
		if (!isSendable(value)) {
			throw new InputError(
				`Context Variables: ${name} is not a value that can be sent`,
				'Give a text, a number or a boolean.',
			);
		}
		checked.set(name, { isDisplayable, value });
	}
	return checked.size === 0 ? undefined : Object.fromEntries(checked);
}

function readCustomer(parameters: ParameterReader, customerId: string): CustomerContext | undefined {
	const customer = parameters.collection('customer');
	const given = CUSTOMER.map((field) => [field.key, readTrimmed(customer, field)] as const);
	const email = given.find(([key]) => key === 'email')?.[1] ?? '';
	if (email !== '' && !/^[^\s@]+@[^\s@]+$/.test(email)) {
		throw new InputError(
			'Email is not an e-mail address',
			'Give one such as name@email.com, or leave it empty.',
		);
	}
	return unlessEmpty({ customerid: customerId, ...Object.fromEntries(given) });
}

function readCreatePath(options: ParameterReader): string {
	const path = options.text('createPath', 'Create Path') || CREATE_PATHS[0];
	if (!CREATE_PATHS.includes(path))
		throw new InputError('Create Path is unknown', `Choose ${CREATE_PATHS.join(' or ')}.`);
	return path;
}

/** The customer's ID; '' where there is none. */
export function readCustomerId(parameters: ParameterReader): string {
	return readTrimmed(parameters, CUSTOMER_ID);
}

/** The key that keeps what one customer says in order. */
export function customerOrderingKey(customerId: string): string {
	return `customer ${customerId.toLowerCase()}`;
}

/**
 * Reads everything that starts a conversation but the start message.
 * @throws InputError naming the field.
 */
export function readConversationStart(
	parameters: ParameterReader,
	startMessage: StartMessage | undefined,
): ConversationStart {
	const options = parameters.collection('options');
	const customerId = readCustomerId(parameters);
	const mode = parameters.text('contextMode', 'Specify Context Variables');
	const variables = mode === 'json' ? variablesFromJson(parameters) : variablesFromFields(parameters);
	return {
		request: {
			method: 'POST',
			path: readCreatePath(options),
			body: withoutEmpty({
				customercontext: readCustomer(parameters, customerId),
				conversationcontext: checkVariables(variables),
				conversationrequestid: options.text('requestId', 'Request ID').trim(),
				skipdeflectionbot: options.flag('skipAiAgent') || undefined,
			}),
			// With a customer's ID the service gives the same conversation again, without one it opens another.
			isIdempotent: customerId !== '',
			howToVerify:
				customerId === ''
					? 'Check whether there is a new conversation (Conversation: Get Many) before you repeat it.'
					: `Look into the newest conversations (Conversation: Get Many, Message: Get Many) for the words of customer ${customerId} before you repeat it.`,
		},
		startMessage,
	};
}

const START_UNUSED =
	'The conversation was active already: Customer, Context Variables and the options of a new conversation were not used.';

/** The hint that what was given for a new conversation was of no use, as there was one already. */
export function unusedHint({ request }: ConversationStart, isNew: boolean): string | undefined {
	const { customercontext, ...others } = request.body ?? {};
	const isGiven = Object.keys(customercontext ?? {}).length > 1 || Object.keys(others).length > 0;
	return isGiven && !isNew ? START_UNUSED : undefined;
}
