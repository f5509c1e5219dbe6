import type { INodeProperties } from 'n8n-workflow';
import { InputError } from '../../transport/errors';
import type { ParameterReader } from '../parameters';

/** A text field and its limit, written once: the check, the field's hint and the tests all read it from here. */
export interface TextField {
	name: string;
	label: string;
	/** UTF-16 code units, as JavaScript and .NET count them. */
	maxLength: number;
}

/** The hint that a text field shows for its limit. */
export function limitHint({ maxLength }: Pick<TextField, 'maxLength'>): string {
	return `At most ${maxLength.toLocaleString('en-US')} characters`;
}

/**
 * The field of a text, with its limit behind the description.
 * @param more what it has beside name and label; `description` ends with its full stop.
 */
export function textField(
	field: TextField,
	{ description, ...more }: Partial<INodeProperties> & { description: string },
): INodeProperties {
	return {
		displayName: field.label,
		name: field.name,
		type: 'string',
		default: '',
		...more,
		description: withLimit(description, field),
	};
}

/** A description with the field's limit behind it. @param description one or more sentences, with their full stops. */
function withLimit(description: string, field: TextField): string {
	return `${description} ${limitHint(field)}.`;
}

/**
 * Checks a text's length.
 * @throws InputError naming the field.
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

/** Reads a text and checks its length. '' where it is not set. @throws InputError naming the field. */
export function readText(parameters: ParameterReader, field: TextField): string {
	return checkLength(parameters.text(field.name, field.label), field);
}

/** As `readText`, without the white space around it, which comes with pasting. @throws InputError naming the field. */
export function readTrimmed(parameters: ParameterReader, field: TextField): string {
	return checkLength(parameters.text(field.name, field.label).trim(), field);
}
