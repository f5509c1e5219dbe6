import type { INodeProperties } from 'n8n-workflow';
import { InputError } from '../../transport/errors';
import type { ParameterReader } from '../parameters';

/** A number field and its limits. The check, the field and the tests all read them here. */
export interface NumberField {
	name: string;
	label: string;
	default: number;
	min: number;
	max: number;
	isWhole: boolean;
}

/**
 * Reads a number; the field's default where it is empty.
 * @throws InputError with the name of the field and its limits.
 */
export function readNumber(parameters: ParameterReader, field: NumberField): number {
	const { name, label, min, max, isWhole } = field;
	const raw = parameters.raw(name);
	if (raw === undefined || raw === '') return field.default;
	const value = parameters.number(name, label);
	if (value < min || value > max || (isWhole && !Number.isInteger(value))) {
		throw new InputError(
			`${label} must be ${isWhole ? 'a whole number ' : ''}from ${min} to ${max.toLocaleString('en-US')}`,
			`It is ${value}.`,
		);
	}
	return value;
}

/** Makes the field for a number, with its limits. */
export function numberField(field: NumberField, description: string): INodeProperties {
	const { label, name, default: standard, min, max } = field;
	const typeOptions = { minValue: min, maxValue: max };
	return { displayName: label, name, type: 'number', default: standard, typeOptions, description };
}
