import type { INodeProperties } from 'n8n-workflow';
import type { CustomerContext, StartMessage } from '../../../../emulator/messaging/contract';
import { readId, readName, stringField, textField, type TextField } from '../../../shared/action/fields/text';
import type { ParameterReader } from '../../../shared/action/parameters';
import { unlessEmpty, withoutEmpty } from '../../../shared/json';
import { InputError } from '../../../shared/transport/errors';
import { checkMessageSize } from '../messageSize';
import type { ConversationStart } from '../../messagingApi/startConversation';
import { contextVariableFields, readContextVariables } from '../contextVariables';
import { booleanField, collectionField } from '../fields';

/** Of Customer ID and of each field of Customer. Source: docs/service-facts.md#create-body. */
const MAX_LENGTH = 200;
export const CUSTOMER_ID: TextField = { name: 'customerId', label: 'Customer ID', maxLength: MAX_LENGTH };

/** A warning at the tools for AI agents that have Customer ID. */
export const CUSTOMER_ID_NOTICE =
	'Do not let the model choose Customer ID: whoever talks to it could then speak as another customer. Set it from the workflow, for example from the trigger or the session.';

/** A field of Customer, and its key in the request. */
interface CustomerField extends TextField {
	key: keyof CustomerContext;
	/** Whether it finds a record, rather than names somebody. */
	isId: boolean;
	property: INodeProperties;
}

function customerField(
	name: string,
	label: string,
	key: keyof CustomerContext,
	placeholder: string,
	description: string,
): CustomerField {
	const field = { name, label, maxLength: MAX_LENGTH };
	const isId = key === 'email' || key === 'phonenumber';
	return { ...field, key, isId, property: textField(field, { placeholder, description }) };
}

const FINDS_RECORD =
	'of the customer. It finds their record in Dynamics 365. The names in that record are then used instead of those entered here.';

const CUSTOMER: CustomerField[] = [
	customerField('email', 'Email', 'email', 'e.g. name@email.com', `Email address ${FINDS_RECORD}`),
	customerField('firstName', 'First Name', 'firstname', 'e.g. Nathan', 'First name of the customer.'),
	customerField('lastName', 'Last Name', 'lastname', 'e.g. Smith', 'Last name of the customer.'),
	customerField(
		'phoneNumber',
		'Phone Number',
		'phonenumber',
		'e.g. +31612345678',
		`Phone number ${FINDS_RECORD}`,
	),
	customerField(
		'preferredName',
		'Preferred Name',
		'preferredname',
		'e.g. Nathan Smith',
		'Name of the customer that the representative sees.',
	),
];

/** The path that Microsoft documents now, and the older one. Source: docs/service-facts.md#create-paths. */
const CREATE_PATHS: [string, string] = ['/conversation/create', '/conversations/create'];

/** The fields of the customer and the context variables, which every operation that starts a conversation has. */
export const customerFields: INodeProperties[] = [
	collectionField(
		'customer',
		'Customer',
		CUSTOMER.map(({ property }) => property),
	),
	...contextVariableFields(),
];

/** The options of starting a conversation, without the start message. */
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
		description:
			'Path of the API that opens conversations. Choose the older one only if the current one is not found.',
	},
	requestId: stringField(
		'requestId',
		'Request ID',
		'ID for your own records. It does not prevent duplicates.',
	),
	skipAiAgent: booleanField(
		'skipAiAgent',
		'Skip AI Agent',
		'Whether the conversation goes straight to a representative, without an AI agent',
	),
	displayName: stringField(
		'startMessageDisplayName',
		'Display Name',
		'Name of the customer shown with the start message',
	),
};

function readCustomer(parameters: ParameterReader, customerId: string): CustomerContext | undefined {
	const customer = parameters.collection('customer');
	const given = CUSTOMER.map(
		(field) => [field.key, field.isId ? readId(customer, field) : readName(customer, field)] as const,
	);
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

/** Reads Customer ID; '' where it is empty. @throws InputError where it is too long. */
export function readCustomerId(parameters: ParameterReader): string {
	return readId(parameters, CUSTOMER_ID);
}

/** A start message, with the name of the customer where there is one. Pure. */
export function startMessageOf(message: string, displayname: string): StartMessage {
	return displayname === '' ? { message } : { message, displayname };
}

/** The key under which the items of one customer are carried out in order. */
export function customerOrderingKey(customerId: string): string {
	return `customer ${customerId.toLowerCase()}`;
}

/**
 * Reads what a conversation is started with, apart from the start message. The request may be repeated where it has a
 * customer's ID, as the service then gives the same conversation again.
 * @throws InputError naming the field.
 */
export function readConversationStart(
	parameters: ParameterReader,
	startMessage: StartMessage | undefined,
): ConversationStart {
	const options = parameters.collection('options');
	const customerId = readCustomerId(parameters);
	return {
		request: {
			method: 'POST',
			path: readCreatePath(options),
			body: withoutEmpty({
				customercontext: readCustomer(parameters, customerId),
				conversationcontext: readContextVariables(parameters),
				conversationrequestid: options.id('requestId', 'Request ID'),
				skipdeflectionbot: options.flag('skipAiAgent', 'Skip AI Agent') || undefined,
			}),
			isIdempotent: customerId !== '',
			howToVerify:
				customerId === ''
					? 'Check whether there is a new conversation (Conversation: Get Many) before you repeat it.'
					: `Check the newest conversations (Conversation: Get Many, Message: Get Many) for the message of customer ${customerId} before you repeat it.`,
		},
		startMessage,
	};
}

/** Checks the size of a start message with what goes along. @throws InputError */
export function checkStartSize({ request, startMessage }: ConversationStart): void {
	if (!startMessage) return;
	const body = { ...request.body, startmessage: startMessage };
	checkMessageSize(body, 'The start message', 'Shorten it, or leave out some of Context Variables.');
}

const START_UNUSED =
	'The customer already had an active conversation: Customer, Context Variables and the options of a new conversation were not used.';

const START_MAY_BE_UNUSED =
	'The answer to opening the conversation was lost once. If the customer already had an active conversation, Customer, Context Variables and the options of a new conversation were not used.';

/**
 * The hint that the fields for a new conversation were not used, as one was active; undefined where none was filled in.
 * @param mayBeOlder whether a conversation that counts as new may have been active before.
 */
export function unusedHint(
	{ request }: ConversationStart,
	isNew: boolean,
	mayBeOlder = false,
): string | undefined {
	const { customercontext, ...others } = request.body ?? {};
	const isGiven = Object.keys(customercontext ?? {}).length > 1 || Object.keys(others).length > 0;
	if (!isGiven) return undefined;
	if (!isNew) return START_UNUSED;
	return mayBeOlder ? START_MAY_BE_UNUSED : undefined;
}
