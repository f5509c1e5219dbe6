import type { INodeProperties } from 'n8n-workflow';
import type { ContextVariable, ConversationContext } from '../../../emulator/messaging/contract';
import { stringField } from '../../shared/action/fields/text';
import type { ParameterReader } from '../../shared/action/parameters';
import { isRecord } from '../../shared/json';
import { InputError } from '../../shared/transport/errors';
import { booleanField, readJsonObject } from './fields';

/** Source: docs/service-facts.md#create-body. */
const MAX_CONTEXT_VARIABLES = 100;

/**
 * The fields of context variables, as a list or as JSON. {@link readContextVariables} reads them.
 * @param more fields of a variable that an operation has beside those of all.
 */
export function contextVariableFields(more: INodeProperties[] = []): INodeProperties[] {
	return [
		{
			displayName: 'Specify Context Variables',
			name: 'contextMode',
			type: 'options',
			default: 'fields',
			options: [
				{ name: 'Using Fields Below', value: 'fields' },
				{ name: 'Using JSON', value: 'json' },
			],
			description: 'How to enter the context variables',
		},
		{
			displayName: 'Context Variables',
			name: 'contextVariables',
			type: 'fixedCollection',
			typeOptions: { multipleValues: true },
			placeholder: 'Add variable',
			default: {},
			displayOptions: { show: { contextMode: ['fields'] } },
			description: `Facts about the customer or the case for the representative and the routing rules. At most ${MAX_CONTEXT_VARIABLES}.`,
			options: [
				{
					displayName: 'Variable',
					name: 'variable',
					values: [
						stringField('name', 'Name', 'Name of the context variable', { placeholder: 'e.g. productName' }),
						stringField('value', 'Value', 'Value of the context variable', {
							placeholder: 'e.g. Heat pump 7',
						}),
						{
							...booleanField(
								'isDisplayable',
								'Show to Representative',
								'Whether the representative sees the variable',
							),
							default: true,
						},
						...more,
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
			description: `JSON object of names and values for the representative and the routing rules, such as { "productName": "Heat pump 7" }. A value is a text, a number, a boolean, or an object with value and isDisplayable (whether the representative sees it). At most ${MAX_CONTEXT_VARIABLES}.`,
		},
	];
}

/** The field of a context variable that says whether its value is a text or an integer. */
export const variableTypeField: INodeProperties = {
	displayName: 'Type',
	name: 'type',
	type: 'options',
	default: 'text',
	options: [
		{ name: 'Text', value: 'text' },
		{ name: 'Integer', value: 'integer' },
	],
	description: 'Type of the context variable in Dynamics 365',
};

/** A context variable whose value is not checked yet. */
type GivenVariable = [name: string, value: { isDisplayable: boolean; value: unknown }];

/** @throws InputError where an integer is none, or has too many digits to be exact. */
function readValue(row: ParameterReader): string | number {
	const text = row.text('value', 'Context Variables: Value');
	if (row.raw('type') !== 'integer') return text;
	const number = /^-?\d+$/.test(text.trim()) ? Number(text) : NaN;
	if (Number.isSafeInteger(number)) return number;
	throw new InputError(
		`Context Variables: ${row.name('name', 'Context Variables: Name')} is not an integer`,
		'Give a whole number of up to 15 digits, or choose the type Text.',
	);
}

function variablesFromFields(parameters: ParameterReader): GivenVariable[] {
	return parameters.rows('contextVariables', 'variable').map((row): GivenVariable => {
		const isDisplayable =
			row.raw('isDisplayable') === undefined ||
			row.flag('isDisplayable', 'Context Variables: Show to Representative');
		return [row.name('name', 'Context Variables: Name'), { isDisplayable, value: readValue(row) }];
	});
}

function variablesFromJson(parameters: ParameterReader): GivenVariable[] {
	const example = '{ "productName": "Heat pump 7" }';
	const object = readJsonObject(parameters, 'contextJson', 'Context Variables (JSON)', example);
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

/** Whether the service accepts a value. */
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

/**
 * Reads the context variables. One of the type Integer, and a whole number in JSON, is a number.
 * @returns by their names; undefined where there are none.
 * @throws InputError naming the field.
 */
export function readContextVariables(parameters: ParameterReader): ConversationContext | undefined {
	const mode = parameters.text('contextMode', 'Specify Context Variables');
	return checkVariables(mode === 'json' ? variablesFromJson(parameters) : variablesFromFields(parameters));
}
