import { isRecord, nonEmptyText, parseWithinLimits, readKey, type Json } from '../../../shared/json';

/** What stands at the top of a template. */
export type HeaderKind = 'text' | 'image' | 'video' | 'document' | 'location';

/** A button of a template. The service fills quick replies and URLs alone. */
export interface TemplateButton {
	kind: 'quickReply' | 'url' | 'other';
	text: string;
	/** The address that it leads to; '' where there is none. */
	url: string;
}

/** What a template says, with its placeholders. A part that it does not have is ''. */
export interface TemplateContent {
	header: { kind: HeaderKind; text: string } | undefined;
	body: string;
	footer: string;
	buttons: TemplateButton[];
}

const HEADER_KINDS = new Map<string, HeaderKind>([
	['TEXT', 'text'],
	['IMAGE', 'image'],
	['VIDEO', 'video'],
	['DOCUMENT', 'document'],
	['LOCATION', 'location'],
]);

const BUTTON_KINDS = new Map<string, TemplateButton['kind']>([
	['QUICK_REPLY', 'quickReply'],
	['URL', 'url'],
]);

function listOf(value: Json | undefined): Json[] {
	return Array.isArray(value) ? value : [];
}

function upperCase(value: Json | undefined): string {
	return typeof value === 'string' ? value.toUpperCase() : '';
}

/** Finds the components: in a list, below `components`, or in either as a text of JSON. */
function componentsIn(content: Json): Json[] {
	const value = (typeof content === 'string' ? parseWithinLimits(content) : content) ?? null;
	return listOf(isRecord(value) ? readKey(value, 'components') : value);
}

/**
 * Reads the content of a template as the service lists it. Pure.
 * Source: docs/service-facts.md#acs-template-content.
 * @returns undefined where there is no body, which every template has.
 */
export function readContent(content: Json): TemplateContent | undefined {
	const components = componentsIn(content);
	const component = (type: string) => components.find((one) => upperCase(readKey(one, 'type')) === type);
	const textIn = (value: Json | undefined) => nonEmptyText(readKey(value, 'text')) ?? '';
	const body = textIn(component('BODY'));
	if (body === '') return undefined;
	const header = component('HEADER');
	// A header without a format is a text.
	const kind = HEADER_KINDS.get(upperCase(readKey(header, 'format')) || 'TEXT');
	return {
		header: header === undefined || kind === undefined ? undefined : { kind, text: textIn(header) },
		body,
		footer: textIn(component('FOOTER')),
		buttons: listOf(readKey(component('BUTTONS'), 'buttons')).map((button) => ({
			kind: BUTTON_KINDS.get(upperCase(readKey(button, 'type'))) ?? 'other',
			text: textIn(button),
			url: nonEmptyText(readKey(button, 'url')) ?? '',
		})),
	};
}

/** A placeholder in a text: a number or a name in two pairs of braces. Source: docs/service-facts.md#acs-template-content. */
const PLACEHOLDER = /\{\{\s*(\w+)\s*\}\}/g;

/** Whether a placeholder is filled by its position, and not by its name. */
export function isPositional(name: string): boolean {
	return /^\d+$/.test(name);
}

/** Sorts placeholders as the service fills them: those with numbers by their numbers, then those with names as they are. */
export function inOrder(names: Iterable<string>): string[] {
	const all = [...names];
	const numbers = all.filter(isPositional).sort((one, other) => Number(one) - Number(other));
	return [...numbers, ...all.filter((name) => !isPositional(name))];
}

/** Lists the placeholders of a text, each once, in the order in which they are filled. Pure. */
export function placeholdersIn(text: string): string[] {
	return inOrder(new Set([...text.matchAll(PLACEHOLDER)].map(([, name = '']) => name)));
}

/** Puts values in the place of placeholders; one without a value stays. Pure. */
export function fillIn(text: string, valueOf: (name: string) => string | undefined): string {
	return text.replace(PLACEHOLDER, (whole, name: string) => valueOf(name) ?? whole);
}
