import { inexactNumberIn, isTooDeep, parseJson } from '../../json';
import { wellFormedValue } from '../../text';
import { InputError } from '../../transport/errors';

/** As many characters of a number as an error shows. */
const SHOWN_LENGTH = 40;

/** What an expression gave, as a text of JSON: a date in it is ISO 8601. */
interface Written {
	text: string | undefined;
	/** A number that was rounded on its way, or may have been; undefined where there is none. */
	uncertain: string | undefined;
}

/** @throws what JSON.stringify throws for what is too deep, or contains itself. */
function written(value: unknown): Written {
	let uncertain: string | undefined;
	const text = JSON.stringify(value, (_, inner: unknown) => {
		const isSafe =
			typeof inner !== 'number' ||
			(Number.isInteger(inner) ? Number.isSafeInteger(inner) : Number.isFinite(inner));
		if (typeof inner !== 'bigint' && isSafe) return inner;
		uncertain ??= String(inner);
		return null;
	}) as string | undefined;
	return { text, uncertain };
}

function tooDeep(label: string): InputError {
	return new InputError(
		`${label} is nested too deeply`,
		'Give fewer objects and lists within each other. An object must not contain itself.',
	);
}

/** @throws InputError with the name of the field, for what is too deep or contains itself. */
function writtenOrRefused(raw: unknown, label: string): Written {
	if (typeof raw === 'string') return { text: raw, uncertain: inexactNumberIn(raw) };
	try {
		return written(raw);
	} catch {
		throw tooDeep(label);
	}
}

/**
 * Reads JSON that a person typed, or that an expression gave as a text or a value. Each number in it can be sent as it was
 * typed.
 * @param label of the field, for the error.
 * @returns undefined where a text is not JSON. Half a character in a text is left out.
 * @throws InputError with the name of the field, where a number would be changed, or where it is nested too deeply.
 */
export function readJson(raw: unknown, label: string): unknown {
	const { text, uncertain } = writtenOrRefused(raw, label);
	const value = text === undefined ? undefined : parseJson(text);
	if (value === undefined) return undefined;
	if (uncertain !== undefined) {
		const shown = uncertain.length > SHOWN_LENGTH ? `${uncertain.slice(0, SHOWN_LENGTH)}…` : uncertain;
		throw new InputError(
			`${label} has a number that cannot be sent exactly: ${shown}`,
			'It has too many digits, or is too large. Put it in quotes to send it as a text.',
		);
	}
	if (isTooDeep(value)) throw tooDeep(label);
	return wellFormedValue(value);
}
