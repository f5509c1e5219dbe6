import { inexactNumberIn, parseJson, type Json } from '../../json';
import { wellFormedValue } from '../../text';
import { InputError } from '../../transport/errors';

/** As many characters of a number as an error shows. */
const SHOWN_LENGTH = 40;

/** A number that an expression gave and that was rounded on its way, or may have been; undefined where there is none. */
function uncertainNumberIn(value: unknown): string | undefined {
	let found: string | undefined;
	JSON.stringify(value, (_, inner: unknown) => {
		const isSafe =
			typeof inner !== 'number' ||
			(Number.isInteger(inner) ? Number.isSafeInteger(inner) : Number.isFinite(inner));
		if (typeof inner !== 'bigint' && isSafe) return inner;
		found ??= String(inner);
		return null;
	});
	return found;
}

/**
 * Reads JSON that a person typed, or that an expression gave as a text or a value. Each number in it can be sent as it was
 * typed.
 * @param label of the field, for the error.
 * @returns undefined where a text is not JSON. Half a character in a text is left out.
 * @throws InputError with the name of the field, where a number would be changed.
 */
export function readJson(raw: unknown, label: string): unknown {
	const value = typeof raw === 'string' ? parseJson(raw) : raw;
	const number =
		value === undefined
			? undefined
			: typeof raw === 'string'
				? inexactNumberIn(raw)
				: uncertainNumberIn(value);
	if (number === undefined) return value === undefined ? undefined : wellFormedValue(value as Json);
	const shown = number.length > SHOWN_LENGTH ? `${number.slice(0, SHOWN_LENGTH)}…` : number;
	throw new InputError(
		`${label} has a number that cannot be sent exactly: ${shown}`,
		'It has too many digits, or is too large. Put it in quotes to send it as a text.',
	);
}
