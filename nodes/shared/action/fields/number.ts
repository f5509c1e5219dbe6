import type { INodeProperties } from 'n8n-workflow';
import { cut } from '../../text';
import { InputError } from '../../transport/errors';
import { numberOf, type ParameterReader } from '../parameters';

/** A number field and its limits. The check, the field and the tests all read them here. */
export interface NumberField {
	name: string;
	label: string;
	default: number;
	min: number;
	max: number;
	isWhole: boolean;
}

/** Says what a value is that is no number, for a person who has to find the expression that gave it. */
function shown(value: unknown): string {
	if (typeof value === 'string') return value.trim() === '' ? 'empty' : `“${cut(value, 100)}”`;
	if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
	return String(value);
}

/** Says by the field's name what is wrong with a number that an expression may have given; undefined where nothing is. */
export function numberError(given: unknown, field: NumberField): InputError | undefined {
	const { label, min, max, isWhole } = field;
	const value = given === undefined ? field.default : numberOf(given);
	const isInRange = value !== undefined && value >= min && value <= max;
	if (isInRange && (!isWhole || Number.isInteger(value))) return undefined;
	return new InputError(
		`${label} must be ${isWhole ? 'a whole number ' : ''}from ${min} to ${max.toLocaleString('en-US')}`,
		`It is ${shown(given)}. Give the number alone, such as ${field.default}.`,
	);
}

/**
 * Reads a number; a text that is a number is one. An empty text is none, as the expression that gave it meant a limit.
 * @returns the field's default where nothing is set.
 * @throws InputError with the name of the field and its limits.
 */
export function checkNumber(given: unknown, field: NumberField): number {
	const error = numberError(given, field);
	if (error) throw error;
	return numberOf(given) ?? field.default;
}

/** Reads a number field by {@link checkNumber}. @throws InputError with the name of the field and its limits. */
export function readNumber(parameters: ParameterReader, field: NumberField): number {
	return checkNumber(parameters.raw(field.name), field);
}

/** Makes the field for a number, with its limits. */
export function numberField(field: NumberField, description: string): INodeProperties {
	const { label, name, default: standard, min, max } = field;
	const typeOptions = { minValue: min, maxValue: max };
	return { displayName: label, name, type: 'number', default: standard, typeOptions, description };
}
