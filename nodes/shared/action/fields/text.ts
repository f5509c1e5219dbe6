import type { INodeProperties } from 'n8n-workflow';
import { InputError } from '../../transport/errors';
import type { ParameterReader } from '../parameters';

/** A text field and its limit. The check, the field's hint and the tests all read it here. */
export interface TextField {
	name: string;
	label: string;
	/** UTF-16 code units, as JavaScript and .NET count them. */
	maxLength: number;
}

/** Words the limit of a text field, without a full stop. */
export function limitHint({ maxLength }: Pick<TextField, 'maxLength'>): string {
	return `At most ${maxLength.toLocaleString('en-US')} characters`;
}

/** Makes the field for a text without a limit. @param more its other properties. */
export function stringField(
	name: string,
	displayName: string,
	description: string,
	more: Partial<INodeProperties> = {},
): INodeProperties {
	return { displayName, name, type: 'string', default: '', ...more, description };
}

/**
 * Makes the field for a text. The limit follows its description.
 * @param more its other properties; `description` ends with a full stop.
 */
export function textField(
	field: TextField,
	{ description, ...more }: Partial<INodeProperties> & { description: string },
): INodeProperties {
	const withLimit = `${description} ${limitHint(field)}.`;
	return {
		displayName: field.label,
		name: field.name,
		type: 'string',
		default: '',
		...more,
		description: withLimit,
	};
}

/**
 * Checks the length of a text.
 * @returns the text as it is.
 * @throws InputError with the name of the field.
 */
export function checkLength(text: string, { label, maxLength }: TextField): string {
	if (text.length > maxLength) {
		throw new InputError(
			`${label} is longer than ${maxLength.toLocaleString('en-US')} characters`,
			`It has ${text.length.toLocaleString('en-US')}. Shorten it.`,
		);
	}
	return text;
}

/** Reads a text and checks its length; '' where it is not set. @throws InputError with the name of the field. */
export function readText(parameters: ParameterReader, field: TextField): string {
	return checkLength(parameters.text(field.name, field.label), field);
}

/** Reads a name, as {@link ParameterReader.name} does, and checks its length. @throws InputError with the name of the field. */
export function readName(parameters: ParameterReader, field: TextField): string {
	return checkLength(parameters.name(field.name, field.label), field);
}

/** Reads an ID, as {@link ParameterReader.id} does, and checks its length. @throws InputError with the name of the field. */
export function readId(parameters: ParameterReader, field: TextField): string {
	return checkLength(parameters.id(field.name, field.label), field);
}
