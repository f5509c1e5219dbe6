import { isRecord, nonEmptyText } from '../../../shared/json';
import type { Template } from './template';
import { fillIn, isPositional, placeholdersIn, type TemplateContent } from './templateContent';

/** A value of a template, by its keys. */
type Values = Record<string, unknown>;

/** What a header is called that is no text. */
const KINDS = { image: 'Image', video: 'Video', document: 'Document', location: 'Location' } as const;

/** Lists the values that are bound to a part, in their order. @param subType of buttons, to leave out the others. */
function boundTo(template: Template, part: string, subType?: string): Values[] {
	const rows = template.bindings?.[part];
	return (Array.isArray(rows) ? rows : []).flatMap((row: unknown): Values[] => {
		if (!isRecord(row) || (subType !== undefined && row.subType !== subType)) return [];
		return [template.values?.find(({ name }) => name === row.refValue) ?? {}];
	});
}

/** Fills the placeholders of a text: those with numbers in the order of the bindings, those with names by their names. */
function filled(text: string, bound: Values[]): string {
	const numbers = placeholdersIn(text).filter(isPositional);
	return fillIn(text, (name) => {
		const value = isPositional(name) ? bound[numbers.indexOf(name)] : bound.find((one) => one.name === name);
		return nonEmptyText(value?.text) ?? undefined;
	});
}

/** The place of a header by its name, else by its coordinates; '' where it has neither. */
function placeOf({ locationName, address, latitude, longitude }: Values): string {
	const texts = (values: unknown[]) => values.map(nonEmptyText).filter((one) => one !== null);
	const [place, point] = [texts([locationName, address]), texts([latitude, longitude])];
	return (place.length > 0 ? place : point.length === 2 ? point : []).join(', ');
}

function headerLine(header: TemplateContent['header'], bound: Values[]): string {
	if (!header) return '';
	if (header.kind === 'text') return filled(header.text, bound);
	const [value = {}] = bound;
	const isPlace = header.kind === 'location';
	const shown = isPlace ? placeOf(value) : (nonEmptyText(value.fileName) ?? nonEmptyText(value.url) ?? '');
	return shown === '' ? `[${KINDS[header.kind]}]` : `[${KINDS[header.kind]}: ${shown}]`;
}

/** Makes a line of each button. @param urlEnds the values of the addresses that have a placeholder, in their order. */
function buttonLines(buttons: TemplateContent['buttons'], urlEnds: Values[]): string[] {
	const left = [...urlEnds];
	return buttons.map(({ text, url }) => {
		const value = placeholdersIn(url).length > 0 ? left.shift() : undefined;
		const address = fillIn(url, () => nonEmptyText(value?.text) ?? undefined);
		return address === '' ? `[${text}]` : `[${text}: ${address}]`;
	});
}

/**
 * Makes the text of a template as the customer reads it: header, body and footer with their values, then the buttons, each
 * on a line of its own in square brackets. A placeholder without a value stays. Pure.
 */
export function previewOf(content: TemplateContent, template: Template): string {
	const lines = [
		headerLine(content.header, boundTo(template, 'header')),
		filled(content.body, boundTo(template, 'body')),
		filled(content.footer, boundTo(template, 'footer')),
		...buttonLines(content.buttons, boundTo(template, 'buttons', 'url')),
	];
	return lines.filter((line) => line !== '').join('\n');
}
