import { locatorValue, type ParameterReader } from '../../../shared/action/parameters';
import { isGuid, tidyId } from '../../../shared/entra/appCredential';
import { InputError } from '../../../shared/transport/errors';

/** Whether a field that is there has no value: an expression can give null, and a person leaves blanks. */
function isEmpty(value: unknown): boolean {
	return value === undefined || value === null || (typeof value === 'string' && value.trim() === '');
}

/** Whether a field is in a collection without a value. What an expression does not find, undefined, says nothing. */
export function isBlank(collection: ParameterReader, name: string): boolean {
	const value = locatorValue(collection.raw(name));
	return value !== undefined && isEmpty(value);
}

/**
 * Checks an ID that a person pasted.
 * @param where says where to find it. Whole sentences.
 * @returns the GUID in lower case.
 * @throws InputError naming the field.
 */
export function checkGuid(id: string, label: string, where = ''): string {
	if (isGuid(id)) return id;
	throw new InputError(
		id === '' ? `${label} is empty` : `${label} is not a GUID`,
		`${where} It looks like 9f6c021d-1234-4abc-8df7-123456789abc.`.trimStart(),
	);
}

/**
 * Reads the fields of a collection that have a value; undefined for one that is not in it, blank or null.
 * @returns methods that throw InputError naming the field.
 */
export function valuesOf(collection: ParameterReader) {
	const value = <Value>(name: string, read: () => Value): Value | undefined =>
		isEmpty(locatorValue(collection.raw(name))) ? undefined : read();
	return {
		flag: (name: string, label: string) => value(name, () => collection.flag(name, label)),
		guid: (name: string, label: string) =>
			value(name, () => checkGuid(tidyId(collection.id(name, label)), label)),
		/** The ID in a resource locator. */
		located: (name: string, label: string) =>
			value(name, () => checkGuid(tidyId(collection.locator(name, label)), label)),
		/** A value of a drop-down, which an expression can give as well. @param choices what stands for each, by value. */
		choice: <Choice>(name: string, label: string, choices: Record<string, Choice>) =>
			value(name, () => {
				const wanted = collection.name(name, label);
				const [, found] = Object.entries(choices).find(([one]) => one === wanted) ?? [];
				if (found !== undefined) return found;
				throw new InputError(`${label} is unknown`, `Give ${Object.keys(choices).join(' or ')}.`);
			}),
	};
}
