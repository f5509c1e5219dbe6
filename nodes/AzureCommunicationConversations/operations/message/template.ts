import { isRecord, textOf } from '../../../shared/json';
import { orList } from '../../../shared/sentences';
import { cut } from '../../../shared/text';
import { plainFileName } from '../../../shared/fileName';
import { InputError } from '../../../shared/transport/errors';
import { readMediaUrl } from './mediaUrl';

/** The kinds of values of a template. Source: docs/service-facts.md#acs-templates. */
const VALUE_KINDS = ['text', 'image', 'video', 'document', 'location', 'quickAction'] as const;
type ValueKind = (typeof VALUE_KINDS)[number];

/** The parts of a template that values are bound to. Source: docs/service-facts.md#acs-templates. */
const PARTS = ['header', 'body', 'footer'] as const;
const PLACE_KEYS = [...PARTS, 'buttons'] as const;
const BINDING_KEYS = ['kind', ...PLACE_KEYS] as const;
/** Source: docs/service-facts.md#acs-templates. */
const BUTTONS = ['quickReply', 'url'] as const;

/** A value of a template. */
export type Value = Record<string, unknown> & { name: string; kind: ValueKind };

/** A template with its values, in the form of the service. Source: docs/service-facts.md#acs-templates. */
export interface Template {
	name: string;
	language: string;
	values?: Value[];
	bindings?: Record<string, unknown>;
}

/** A template, and the names of its values that no binding uses. */
export interface CheckedTemplate {
	template: Template;
	unused: string[];
}

/** Whether a text is a language, also with a country, script or region, e.g. `en`, `en_US`, `zh_Hans`, `es_419`. */
export function isLanguage(text: string): boolean {
	return /^[a-z]{2,3}([_-]([A-Za-z]{2,4}|\d{3}))?$/.test(text);
}

function isOneOf<Name extends string>(names: readonly Name[], value: unknown): value is Name {
	return (names as readonly unknown[]).includes(value);
}

/** Reads a latitude or longitude. @throws InputError naming it. */
export function readCoordinate(value: unknown, label: string, max: number): number {
	const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
	if (typeof number !== 'number' || !(Math.abs(number) <= max)) {
		throw new InputError(`${label} is not a number from -${max} to ${max}`, 'For example 52.52.');
	}
	return number;
}

/** What WhatsApp refuses in a value. Source: docs/service-facts.md#acs-templates. */
const BREAKS = /[\n\r\t\v\f\u0085\u2028\u2029]| {5}/;

/** Checks the text of a value. @returns it. @throws InputError naming it. */
export function checkText(value: unknown, label: string): string {
	const text = textOf(value) ?? '';
	if (!BREAKS.test(text)) return text;
	throw new InputError(
		`${label} has a line break, a tab, or more than four blanks in a row`,
		'WhatsApp refuses such a value: write it in one line.',
	);
}

/** Checks a value by its kind. Source: docs/service-facts.md#acs-templates. */
function checkValue(value: Value, which: string): Value {
	switch (value.kind) {
		case 'text':
			if ((textOf(value.text) ?? '').trim() === '') {
				throw new InputError(`${which} has no Text`, 'WhatsApp refuses a template with an empty value.');
			}
			return { ...value, text: checkText(value.text, `${which}: Text`) };
		case 'image':
		case 'video':
		case 'document':
			return {
				...value,
				url: readMediaUrl(textOf(value.url) ?? '', `${which}: URL`),
				...(typeof value.fileName === 'string' && {
					fileName: plainFileName(value.fileName) || undefined,
				}),
			};
		case 'location':
			return {
				...value,
				latitude: readCoordinate(value.latitude, `${which}: Latitude`, 90),
				longitude: readCoordinate(value.longitude, `${which}: Longitude`, 180),
			};
		case 'quickAction':
			checkText(value.text, `${which}: Text`);
			return value;
	}
}

function checkValues(values: unknown): Value[] {
	if (values === undefined || values === null) return [];
	if (!Array.isArray(values))
		throw new InputError('The template’s values are not a list', 'Give a list of objects.');
	const names = new Set<string>();
	return values.map((value: unknown, index) => {
		const which = `Value ${index + 1}`;
		if (!isRecord(value))
			throw new InputError(`${which} of the template is not an object`, 'Give name and kind.');
		const { kind } = value;
		const name = textOf(value.name) ?? '';
		if (name.trim() === '')
			throw new InputError(`${which} of the template has no Name`, 'Bindings refer to it by its name.');
		if (names.has(name)) {
			throw new InputError(`Two values of the template have the name ${name}`, 'Give each its own.');
		}
		names.add(name);
		if (!isOneOf(VALUE_KINDS, kind)) {
			throw new InputError(`${which} (${name}) has an unknown kind`, `Give ${orList(VALUE_KINDS)}.`);
		}
		return checkValue({ ...value, name, kind }, `${which} (${name})`);
	});
}

function bindingRows(bindings: Record<string, unknown>, key: string): Array<Record<string, unknown>> {
	const rows = bindings[key] ?? [];
	if (!Array.isArray(rows) || !rows.every((row) => isRecord(row))) {
		throw new InputError(
			`The template’s bindings of ${key} are not a list of objects`,
			'Each has a refValue.',
		);
	}
	return rows;
}

/** Lists the references of the bindings to values, in their order. */
function referencesOf(bindings: Record<string, unknown>): Array<{ part: string; refValue: string }> {
	return PLACE_KEYS.flatMap((part) =>
		bindingRows(bindings, part).map((row) => {
			if (part === 'buttons' && !isOneOf(BUTTONS, row.subType)) {
				throw new InputError('A button of the template has an unknown subType', `Give ${orList(BUTTONS)}.`);
			}
			return { part, refValue: textOf(row.refValue) ?? '' };
		}),
	);
}

/**
 * Checks a template. Pure.
 * @param given a template in the form of the service. Unknown keys are kept.
 * @returns the template, and the names of the values that no binding uses.
 * @throws InputError for a missing part, an unknown kind, or a reference to a value that is not there.
 */
export function checkTemplate(given: unknown): CheckedTemplate {
	if (!isRecord(given)) {
		throw new InputError(
			'The template is not an object',
			'Give an object with name, language, values and bindings.',
		);
	}
	const name = (textOf(given.name) ?? '').trim();
	if (name === '') throw new InputError('The template has no name', 'Give that of an approved template.');
	const language = (textOf(given.language) ?? '').trim();
	if (!isLanguage(language)) {
		throw new InputError(
			language === ''
				? 'The template has no language'
				: `The template’s language is no language code: ${cut(language, 50)}`,
			'Give that of the approved template, such as en or en_US.',
		);
	}
	const values = checkValues(given.values);
	const bindings = given.bindings ?? undefined;
	if (bindings !== undefined && !isRecord(bindings)) {
		throw new InputError(
			'The template’s bindings are not an object',
			'Give kind, header, body, footer and buttons.',
		);
	}
	const unknown = Object.keys(bindings ?? {}).find((key) => !isOneOf(BINDING_KEYS, key));
	if (unknown !== undefined) {
		throw new InputError(
			`The template’s bindings have an unknown part: ${unknown}`,
			`Give ${orList(PLACE_KEYS)}.`,
		);
	}
	if (bindings !== undefined && bindings.kind !== 'whatsApp') {
		throw new InputError('The template’s bindings have an unknown kind', 'Give kind whatsApp.');
	}
	const used = bindings === undefined ? [] : referencesOf(bindings);
	const names = new Set(values.map((value) => value.name));
	for (const { part, refValue } of used) {
		if (names.has(refValue)) continue;
		throw new InputError(
			refValue === ''
				? `A binding of the template’s ${part} names no value`
				: `The template’s ${part} refers to ${refValue}, which is not among its values`,
			names.size === 0 ? 'Add the value first.' : `There are: ${[...names].join(', ')}.`,
		);
	}
	const refs = new Set(used.map(({ refValue }) => refValue));
	const template: Template = { ...given, name, language, values, bindings };
	if (values.length === 0) delete template.values;
	if (bindings === undefined) delete template.bindings;
	return { template, unused: [...names].filter((one) => !refs.has(one)) };
}
