import { checkNumber, numberError, type NumberField } from '../../shared/action/fields/number';
import type { InputError } from '../../shared/transport/errors';

export const MEGABYTE = 1024 * 1024;

/**
 * What a file may have that is fetched; the default is an organization's. Source: docs/service-facts.md#attachment-limits.
 */
export const ATTACHMENT_SIZE_MB: NumberField = {
	name: 'maxAttachmentSizeMb',
	label: 'Max Attachment Size (MB)',
	default: 5,
	min: 0.000001,
	max: 1024,
	isWhole: false,
};

/** How many files of a message are fetched. */
export const ATTACHMENT_COUNT: NumberField = {
	name: 'maxAttachments',
	label: 'Max Attachments',
	default: 10,
	min: 1,
	max: 1000,
	isWhole: true,
};

/**
 * Reads the limits of the trigger's options.
 * @param options an expression may have given any of them.
 * @param onInvalid is told of a limit that is no number. Unless it throws, the default holds.
 */
export function readLimits(
	options: Record<string, unknown>,
	onInvalid: (error: InputError) => void,
): { maxBytes: number; maxCount: number } {
	const read = (field: NumberField): number => {
		const given = options[field.name];
		const error = numberError(given, field);
		if (error) onInvalid(error);
		return error ? field.default : checkNumber(given, field);
	};
	return { maxBytes: read(ATTACHMENT_SIZE_MB) * MEGABYTE, maxCount: read(ATTACHMENT_COUNT) };
}
