import type { INodeProperties } from 'n8n-workflow';
import { InputError } from '../../transport/errors';
import type { ParameterReader } from '../parameters';

/** A number field and its limits, written once as those of texts are. */
export interface NumberField {
	name: string;
	label: string;
	default: number;
	min: number;
	max: number;
	isWhole: boolean;
}

/**
 * Reads a number of a collection; its default where it is not set.
 * @throws InputError naming the field and its limits.
 */
export function readNumber(parameters: ParameterReader, field: NumberField): number {
	const { name, label, min, max, isWhole } = field;
	const given = parameters.raw(name);
	if (given === undefined || given === '') return field.default;
	const value = parameters.number(name, label);
	if (value < min || value > max || (isWhole && !Number.isInteger(value))) {
		throw new InputError(
			`${label} must be ${isWhole ? 'a whole number ' : ''}from ${min} to ${max.toLocaleString('en-US')}`,
			`It is ${value}.`,
		);
	}
	return value;
}

/** The field of a number, with its limits. */
export function numberField(field: NumberField, description: string): INodeProperties {
	const { label, name, default: standard, min, max } = field;
	return {
		displayName: label,
		name,
		type: 'number',
		default: standard,
		typeOptions: { minValue: min, maxValue: max },
		description,
	};
}
