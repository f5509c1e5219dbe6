import { isRecord, nonEmptyText, readKey, type Json } from '../../../shared/json';
import { buttonOf } from './actions';
import { listAt, pairOf, textAt, typeOf } from './fields';
import { MAX_DEPTH, MAX_TEXT, type CardReading } from './reading';

/** `{{DATE(2026-11-29T12:30:00Z, SHORT)}}`, which an app writes in its own language and time zone. */
const TIME = /\{\{(DATE|TIME)\((\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d(Z|[+-]\d\d:\d\d)(?:, ?[A-Z]{1,10})?\)\}\}/g;

/** What is behind this is not shown, however short the dates and times in a text become. */
const MAX_TIMED = 10 * MAX_TEXT;

/** Writes the dates and times of a text out, as they were given. */
function withTimes(text: string | null): string | null {
	return (
		text
			?.slice(0, MAX_TIMED)
			.replace(TIME, (_, kind: string, date: string, time: string, zone: string) =>
				kind === 'DATE' ? date : `${time} ${zone === 'Z' ? 'UTC' : `UTC${zone}`}`,
			) ?? null
	);
}

/** What a card's elements are read into, and which hidden ones an action of the card can show. */
interface Context {
	reading: CardReading;
	shownByAction: () => Set<string>;
}

type ReadElement = (element: Json, context: Context, depth: number) => void;

const readText: ReadElement = (element, { reading }) =>
	reading.add(withTimes(textAt(element, 'text')), 'markdown');

/** Reads an element that came after this was written. */
function readUnknown(element: Json, { reading }: Context): void {
	for (const key of ['title', 'text', 'description', 'codeSnippet']) reading.add(textAt(element, key));
}

function readFacts(element: Json, { reading }: Context): void {
	for (const fact of listAt(element, 'facts')) {
		reading.add(withTimes(pairOf(textAt(fact, 'title'), textAt(fact, 'value'))), 'markdown');
	}
}

function readRuns(element: Json, { reading }: Context): void {
	const runs = listAt(element, 'inlines');
	// White space between two runs counts.
	const texts = runs.map((run) => (typeof run === 'string' ? run : readKey(run, 'text')));
	reading.add(texts.filter((text) => typeof text === 'string').join(''));
	for (const run of runs) reading.addButton(buttonOf(readKey(run, 'selectAction')));
}

function readInput(element: Json, { reading }: Context): void {
	const [label, title, placeholder] = ['label', 'title', 'placeholder'].map((key) => textAt(element, key));
	reading.add(label ?? title ?? placeholder ?? null, label ? 'markdown' : 'plain');
	if (label) reading.add(title ?? null);
	for (const choice of listAt(element, 'choices')) {
		const words = textAt(choice, 'title') ?? textAt(choice, 'value');
		if (words) reading.add(`- ${words}`);
	}
	reading.addButton(buttonOf(readKey(element, 'inlineAction')));
}

const readPicture: ReadElement = (element, { reading }) => reading.addAlternative(textAt(element, 'altText'));

function readMedia(element: Json, { reading }: Context): void {
	reading.add(textAt(element, 'altText'));
	// The others are the same in other formats.
	reading.add(textAt(listAt(element, 'sources')[0], 'url'));
}

/** Reads the elements below an element, and its actions. */
function readInside(element: Json, context: Context, depth: number): void {
	for (const key of ['body', 'items', 'columns', 'rows', 'cells', 'pages', 'images']) {
		for (const inner of listAt(element, key)) readElement(inner, context, depth + 1);
	}
	for (const action of listAt(element, 'actions')) readAction(action, context, depth + 1);
}

function readRow(element: Json, context: Context, depth: number): void {
	const cells = listAt(element, 'cells');
	context.reading.sideBySide(
		cells.map((cell) => () => readElement(cell, context, depth + 1)),
		' | ',
	);
}

/**
 * The elements, and how the words of each are read; null for those that only hold others.
 * Source: docs/service-facts.md#adaptive-cards.
 */
const ELEMENTS = new Map<string, ReadElement | null>([
	['', readText],
	['textblock', readText],
	['richtextblock', readRuns],
	['factset', readFacts],
	['image', readPicture],
	['media', readMedia],
	['input.text', readInput],
	['input.number', readInput],
	['input.date', readInput],
	['input.time', readInput],
	['input.toggle', readInput],
	['input.choiceset', readInput],
	['adaptivecard', null],
	['actionset', null],
	['container', null],
	['column', null],
	['columnset', null],
	['imageset', null],
	['table', null],
	['tablecell', null],
]);

/** An element that is not shown. What an action of the card shows counts as shown, as a text cannot be unfolded. */
function isHidden(element: Json, { shownByAction }: Context): boolean {
	return readKey(element, 'isVisible') === false && !shownByAction().has(textAt(element, 'id') ?? '');
}

function readElement(element: Json, context: Context, depth: number): void {
	if (!isRecord(element) || !context.reading.enter(depth) || isHidden(element, context)) return;
	const type = typeOf(element);
	if (type === 'tablerow') return readRow(element, context, depth);
	const read = ELEMENTS.get(type);
	if (read === undefined) {
		// What an element that is not known here is to be read as.
		const fallback = readKey(element, 'fallback');
		if (isRecord(fallback)) return readElement(fallback, context, depth + 1);
		readUnknown(element, context);
	}
	read?.(element, context, depth);
	readInside(element, context, depth);
	context.reading.addButton(buttonOf(readKey(element, 'selectAction')));
}

function readAction(action: Json, context: Context, depth: number): void {
	if (!context.reading.enter(depth)) return;
	if (typeOf(action) !== 'action.showcard') return context.reading.addButton(buttonOf(action));
	context.reading.add(textAt(action, 'title'));
	readElement(readKey(action, 'card') ?? null, context, depth + 1);
}

/** The IDs of the elements that the card's actions show or hide, wherever these actions stand. */
function targetsIn(card: Json): Set<string> {
	const targets = new Set<string>();
	let level = [card];
	for (let depth = 0; level.length > 0 && depth < MAX_DEPTH; depth++) {
		const next: Json[] = [];
		for (const value of level) {
			if (typeOf(value) === 'action.togglevisibility') {
				for (const target of listAt(value, 'targetElements')) {
					const id = nonEmptyText(target) ?? textAt(target, 'elementId');
					if (id !== null) targets.add(id);
				}
			}
			if (typeof value === 'object' && value !== null) for (const one of Object.values(value)) next.push(one);
		}
		level = next;
	}
	return targets;
}

/**
 * Reads the words and the buttons of an adaptive card, also of the cards within it. Hidden elements are left out, unless one
 * of its actions shows them. Source: docs/service-facts.md#adaptive-cards.
 * @param card the content of the attachment.
 */
export function readAdaptiveCard(card: Json, reading: CardReading): void {
	let targets: Set<string> | undefined;
	readElement(card, { reading, shownByAction: () => (targets ??= targetsIn(card)) }, 0);
	for (const action of listAt(readKey(card, 'authentication'), 'buttons')) {
		reading.addButton(buttonOf(action));
	}
	reading.endCard(withTimes(textAt(card, 'fallbackText')));
}
