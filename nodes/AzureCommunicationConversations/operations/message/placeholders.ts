import type { ResourceMapperField } from 'n8n-workflow';
import type { ParameterReader } from '../../../shared/action/parameters';
import { isRecord, withoutEmpty } from '../../../shared/json';
import { plainFileName } from '../../../shared/fileName';
import { cut } from '../../../shared/text';
import { InputError } from '../../../shared/transport/errors';
import { readMediaUrl } from './mediaUrl';
import { checkText, readCoordinate, type Template, type Value } from './template';
import { inOrder, isPositional, placeholdersIn, type TemplateContent } from './templateContent';

/** The parts of a template that have texts with placeholders. */
const TEXT_PARTS = ['header', 'body', 'footer'] as const;
type TextPart = (typeof TEXT_PARTS)[number];

/** The fields of a header that is a file or a place, by their IDs. They have no underscore, unlike those of texts. */
const HEADER_FIELDS = {
	headerImage: 'Header image URL',
	headerVideo: 'Header video URL',
	headerDocument: 'Header document URL',
	headerDocumentName: 'Header document name',
	headerLatitude: 'Header latitude',
	headerLongitude: 'Header longitude',
	headerLocationName: 'Header location name',
	headerAddress: 'Header address',
} as const;
type HeaderField = keyof typeof HEADER_FIELDS;

/** The fields of a header of each kind but a text. */
const FIELDS_OF_HEADER: Record<'image' | 'video' | 'document' | 'location', HeaderField[]> = {
	image: ['headerImage'],
	video: ['headerVideo'],
	document: ['headerDocument', 'headerDocumentName'],
	location: ['headerLatitude', 'headerLongitude', 'headerLocationName', 'headerAddress'],
};
const OPTIONAL = new Set<string>(['headerDocumentName', 'headerLocationName', 'headerAddress']);
const NUMBERS = new Set<string>(['headerLatitude', 'headerLongitude']);

/** What a field of the template fills. */
type Target =
	| { kind: 'text'; part: TextPart; name: string }
	| { kind: 'header'; field: HeaderField }
	| { kind: 'payload' | 'urlEnd'; button: number };

function idOf(target: Target): string {
	switch (target.kind) {
		case 'text':
			return `${target.part}_${target.name}`;
		case 'header':
			return target.field;
		case 'payload':
			return `button${target.button}Payload`;
		case 'urlEnd':
			return `button${target.button}UrlEnd`;
	}
}

function isHeaderField(id: string): id is HeaderField {
	return Object.hasOwn(HEADER_FIELDS, id);
}

/** Reads what a field fills from its ID; undefined for an ID that no field has. */
function targetOf(id: string): Target | undefined {
	if (isHeaderField(id)) return { kind: 'header', field: id };
	const [, button, what] = /^button([1-9]\d?)(Payload|UrlEnd)$/.exec(id) ?? [];
	if (button !== undefined)
		return { kind: what === 'Payload' ? 'payload' : 'urlEnd', button: Number(button) };
	const [, part, name] = /^(header|body|footer)_(\w+)$/.exec(id) ?? [];
	const textPart = TEXT_PARTS.find((one) => one === part);
	return textPart && name !== undefined ? { kind: 'text', part: textPart, name } : undefined;
}

/** The name of a field, for the editor and for errors: `Body {{1}}`. */
function labelOf(target: Target): string {
	switch (target.kind) {
		case 'text':
			return `${target.part.charAt(0).toUpperCase()}${target.part.slice(1)} {{${target.name}}}`;
		case 'header':
			return HEADER_FIELDS[target.field];
		case 'payload':
			return `Button ${target.button} payload`;
		case 'urlEnd':
			return `Button ${target.button} end of URL`;
	}
}

/** As many characters of the template on each side of a placeholder as its field shows. n8n cuts longer names. */
const SHOWN_LENGTH = 16;

/** Shows a placeholder with the whole words around it. */
function surroundings(text: string, name: string): string {
	const line = text.replace(/\s+/g, ' ');
	const found = new RegExp(`\\{\\{\\s*${name}\\s*\\}\\}`).exec(line);
	if (!found) return '';
	const before = line.slice(0, found.index);
	const after = line.slice(found.index + found[0].length);
	const isLongBefore = before.length > SHOWN_LENGTH;
	const isLongAfter = after.length > SHOWN_LENGTH;
	const near = isLongBefore ? `…${before.slice(-SHOWN_LENGTH).replace(/^\S*\s?/, '')}` : before;
	const next = isLongAfter ? `${after.slice(0, SHOWN_LENGTH).replace(/\s?\S*$/, '')}…` : after;
	return `${near}${found[0]}${next}`.trim();
}

/** A default is a fixed text: what begins with an equals sign would be an expression. */
function defaultOf(text: string): Pick<ResourceMapperField, 'defaultValue'> {
	return text === '' || text.startsWith('=') ? {} : { defaultValue: text };
}

function fieldOf(target: Target, context = '', more: Partial<ResourceMapperField> = {}): ResourceMapperField {
	const id = idOf(target);
	return {
		id,
		displayName: context === '' ? labelOf(target) : `${labelOf(target)}: ${context}`,
		required: !OPTIONAL.has(id),
		defaultMatch: false,
		canBeUsedToMatch: false,
		display: true,
		type: NUMBERS.has(id) ? 'number' : 'string',
		...more,
	};
}

function headerFields(header: TemplateContent['header']): ResourceMapperField[] {
	if (!header || header.kind === 'text') return [];
	return FIELDS_OF_HEADER[header.kind].map((field) => fieldOf({ kind: 'header', field }));
}

function buttonFields(buttons: TemplateContent['buttons']): ResourceMapperField[] {
	return buttons.flatMap(({ kind, text, url }, index) => {
		const button = index + 1;
		// Without a payload of its own, a quick reply sends back its text.
		if (kind === 'quickReply') return [fieldOf({ kind: 'payload', button }, text, defaultOf(text))];
		if (kind !== 'url' || placeholdersIn(url).length === 0) return [];
		return [fieldOf({ kind: 'urlEnd', button }, `${text} (${cut(url, 50)})`)];
	});
}

/**
 * Makes the fields for the placeholders of a template, in the order of the message, as n8n's resource mapper shows them.
 * Pure. Source: docs/service-facts.md#acs-template-content.
 */
export function fieldsFor({ header, body, footer, buttons }: TemplateContent): ResourceMapperField[] {
	const texts = (part: TextPart, text: string) =>
		placeholdersIn(text).map((name) => fieldOf({ kind: 'text', part, name }, surroundings(text, name)));
	return [
		...headerFields(header),
		...texts('header', header?.kind === 'text' ? header.text : ''),
		...texts('body', body),
		...texts('footer', footer),
		...buttonFields(buttons),
	];
}

/** The values that were given, by the IDs of their fields. */
class GivenValues {
	readonly ids: string[];
	/** Whether the fields of the template are known, and not only those that have a value. */
	readonly hasSchema: boolean;
	private readonly values: ParameterReader;

	/** @param mapper the value of n8n's resource mapper. */
	constructor(mapper: ParameterReader) {
		this.values = mapper.collection('value');
		const value = mapper.raw('value');
		const schema = mapper.raw('schema');
		const shown = Array.isArray(schema) ? schema : [];
		this.hasSchema = shown.length > 0;
		// A field that was left empty is in the schema alone.
		const required = shown.flatMap((field: unknown) =>
			isRecord(field) && field.required === true && typeof field.id === 'string' ? [field.id] : [],
		);
		this.ids = [...new Set([...required, ...(isRecord(value) ? Object.keys(value) : [])])];
	}

	/** Reads a text; '' where there is none. @throws InputError where it is no text that a customer could read. */
	text(target: Target): string {
		const label = labelOf(target);
		const raw = this.values.raw(idOf(target));
		if (typeof raw === 'number' && !Number.isFinite(raw)) {
			throw new InputError(`${label} is ${raw}`, 'The expression gives no value for this item.');
		}
		return this.values.text(idOf(target), label);
	}

	/** Reads a text that the template needs, in one line. @throws InputError where it is empty, or WhatsApp refuses it. */
	line(target: Target): string {
		const label = labelOf(target);
		const text = this.text(target);
		if (text.trim() === '') {
			throw new InputError(`${label} is empty`, 'WhatsApp refuses a template with an empty value.');
		}
		return checkText(text, label);
	}

	url(field: HeaderField): string {
		return readMediaUrl(this.text({ kind: 'header', field }), HEADER_FIELDS[field]);
	}

	coordinate(field: HeaderField, max: number): number {
		return readCoordinate(this.values.raw(field), HEADER_FIELDS[field], max);
	}

	optional(field: HeaderField): string {
		return this.text({ kind: 'header', field }).trim();
	}
}

/** Reads the value of a header that is a file or a place; undefined where no field of it is given. */
function readHeader(given: GivenValues): Value | undefined {
	const has = (kind: keyof typeof FIELDS_OF_HEADER) =>
		FIELDS_OF_HEADER[kind].some((field) => given.ids.includes(field));
	const name = 'headerFile';
	if (has('image')) return { name, kind: 'image', url: given.url('headerImage') };
	if (has('video')) return { name, kind: 'video', url: given.url('headerVideo') };
	if (has('document')) {
		const fileName = plainFileName(given.optional('headerDocumentName'));
		return { name, kind: 'document', url: given.url('headerDocument'), ...withoutEmpty({ fileName }) };
	}
	if (!has('location')) return undefined;
	return {
		name,
		kind: 'location',
		latitude: given.coordinate('headerLatitude', 90),
		longitude: given.coordinate('headerLongitude', 180),
		...withoutEmpty({
			locationName: given.optional('headerLocationName'),
			address: given.optional('headerAddress'),
		}),
	};
}

/**
 * Lists the placeholders of a part that are to be filled. Where the template's own are not known, numbers leave no gap, as
 * values are bound by their position.
 */
function namesOf({ hasSchema }: GivenValues, targets: Target[], part: TextPart): string[] {
	const names = targets.flatMap((target) =>
		target.kind === 'text' && target.part === part ? [target.name] : [],
	);
	const highest = hasSchema ? 0 : Math.max(0, ...names.filter(isPositional).map(Number));
	// WhatsApp allows far fewer. A higher number is a mistake, and is refused as a lower one is empty.
	const numbers = Array.from({ length: Math.min(highest, 100) }, (_, index) => String(index + 1));
	return inOrder(new Set([...numbers, ...names]));
}

/** Reads the texts of a part. A placeholder with a name is filled by the value of this name. */
function readTexts(given: GivenValues, targets: Target[], part: TextPart): Value[] {
	return namesOf(given, targets, part).map((name) => ({
		name: isPositional(name) ? `${part}${name}` : name,
		kind: 'text',
		text: given.line({ kind: 'text', part, name }),
	}));
}

/** Reads what the buttons send back, and the ends of their addresses, in the order of the buttons. */
function readButtons(given: GivenValues, targets: Target[]): Array<{ value: Value; subType: string }> {
	const buttons = targets.flatMap((target) => ('button' in target ? [target] : []));
	buttons.sort((one, other) => one.button - other.button);
	return buttons.map((target) => {
		const key = target.kind === 'payload' ? 'payload' : 'text';
		return {
			value: { name: `buttonAction${target.button}`, kind: 'quickAction', [key]: given.line(target) },
			subType: target.kind === 'payload' ? 'quickReply' : 'url',
		};
	});
}

/** Leaves out a value that stands in two places under one name. @throws InputError where the two differ. */
function once(values: Value[]): Value[] {
	const byName = new Map<string, Value>();
	for (const value of values) {
		const other = byName.get(value.name);
		if (other && JSON.stringify(other) !== JSON.stringify(value)) {
			throw new InputError(
				`Two placeholders have the name {{${value.name}}} and different values`,
				'The service fills both with one value: give the same text in both fields.',
			);
		}
		byName.set(value.name, value);
	}
	return [...byName.values()];
}

/**
 * Reads the values of the template's placeholders from the fields of the resource mapper, and makes the values and
 * bindings of the service of them. Source: docs/service-facts.md#acs-templates and
 * docs/service-facts.md#acs-template-content.
 * @param mapper the value of the resource mapper.
 * @returns neither of them where there is nothing to fill.
 * @throws InputError with the name of the field that is empty, or cannot be right.
 */
export function readPlaceholders(mapper: ParameterReader): Pick<Template, 'values' | 'bindings'> {
	const given = new GivenValues(mapper);
	const targets = given.ids.map((id) => {
		const target = targetOf(id);
		if (target) return target;
		throw new InputError(
			`Placeholders has a field that no template has: ${cut(id, 50)}`,
			'Choose the template again, so that its own placeholders are shown.',
		);
	});
	const file = readHeader(given);
	const texts = (part: TextPart) => readTexts(given, targets, part);
	const parts = {
		header: [...(file ? [file] : []), ...texts('header')],
		body: texts('body'),
		footer: texts('footer'),
	};
	const buttons = readButtons(given, targets);
	const values = once([...Object.values(parts).flat(), ...buttons.map(({ value }) => value)]);
	if (values.length === 0) return {};
	const filled = Object.entries(parts).filter(([, of]) => of.length > 0);
	return {
		values,
		bindings: {
			kind: 'whatsApp',
			...Object.fromEntries(filled.map(([part, of]) => [part, of.map(({ name }) => ({ refValue: name }))])),
			...(buttons.length > 0 && {
				buttons: buttons.map(({ value, subType }) => ({ subType, refValue: value.name })),
			}),
		},
	};
}
