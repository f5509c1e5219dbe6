import * as fc from 'fast-check';
import { filesAndCardsOf } from '../../../nodes/Dynamics365Messaging/activity/attachments';
import { readCards } from '../../../nodes/Dynamics365Messaging/activity/cards/readCards';
import { messageContentOf } from '../../../nodes/Dynamics365Messaging/activity/message';
import type { ActivityBody } from '../../../nodes/Dynamics365Messaging/activity/items';
import type { Json } from '../../../nodes/shared/json';

/** HOSTILE=10000 tries that many. */
const COUNT = Number(process.env.HOSTILE ?? 300);

const messageOf = (content: Json, kind = 'adaptive'): ActivityBody => ({
	type: 'message',
	attachments: [{ contentType: `application/vnd.microsoft.card.${kind}`, content }],
});

/** All that a workflow gets of a message, and milliseconds of the processor. */
function read(activity: ActivityBody) {
	const start = process.cpuUsage();
	const content = { ...messageContentOf(activity) };
	const { user, system } = process.cpuUsage(start);
	return { ...content, ms: (user + system) / 1000 };
}

const isTextOrNull = (value: unknown) => value === null || typeof value === 'string';

function expectBounded({ text, plainText, buttons }: ReturnType<typeof read>): void {
	expect(isTextOrNull(text) && isTextOrNull(plainText)).toBe(true);
	expect((text ?? '').length).toBeLessThanOrEqual(12_000);
	expect((plainText ?? '').length).toBeLessThanOrEqual(24_000);
	expect(buttons.length).toBeLessThanOrEqual(100);
	for (const { title, value, type, url } of buttons) {
		expect(title.trim()).not.toBe('');
		expect(title.length).toBeLessThanOrEqual(1_000);
		expect([value, type, url].every(isTextOrNull)).toBe(true);
		expect((value === null) !== (url === null)).toBe(true);
		expect((value ?? url ?? '').length).toBeLessThanOrEqual(6_000);
	}
}

const type = fc.constantFrom(
	...['AdaptiveCard', 'TextBlock', 'RichTextBlock', 'FactSet', 'Container', 'ColumnSet', 'Column', 'Table'],
	...['TableRow', 'TableCell', 'ActionSet', 'Input.ChoiceSet', 'Media', 'ImageSet', 'Unknown', '__proto__'],
	...['Action.ShowCard', 'Action.OpenUrl', 'Action.Submit', 'Action.ToggleVisibility', 'imBack', 'openUrl'],
);
const key = fc.constantFrom(
	...['type', 'Type', 'text', 'title', 'value', 'url', 'data', 'body', 'Body', 'items', 'columns', 'rows'],
	...[
		'cells',
		'actions',
		'card',
		'fallback',
		'selectAction',
		'inlines',
		'facts',
		'choices',
		'isVisible',
		'id',
	],
	...[
		'targetElements',
		'buttons',
		'tap',
		'images',
		'media',
		'total',
		'authentication',
		'__proto__',
		'length',
	],
);
const leaf = fc.oneof(
	type,
	fc.string(),
	fc.constantFrom(
		'',
		' ',
		'\ud800',
		'**',
		'EventName: **_AgentAccepted_**',
		'javascript:1',
		'x'.repeat(20_000),
	),
	fc.constantFrom(null, true, false, 0, -0, 1e300),
);
const { value: wrong } = fc.letrec<{ value: Json }>((tie) => ({
	value: fc.oneof(
		{ maxDepth: 6, depthSize: 'medium' },
		leaf,
		fc.array(tie('value'), { maxLength: 6 }),
		fc.dictionary(key, tie('value'), { maxKeys: 8 }),
		fc
			.tuple(type, fc.dictionary(key, tie('value'), { maxKeys: 8 }))
			.map(([name, fields]) => ({ ...fields, type: name })),
	),
}));

test(`${COUNT} cards of wrong types are read without an error, and what is read is bounded`, () => {
	const kind = fc.constantFrom('adaptive', 'hero', 'receipt', 'video', '');
	fc.assert(
		fc.property(wrong, wrong, kind, (content, suggestedActions, name) => {
			expectBounded(read({ ...messageOf(content, name), suggestedActions }));
		}),
		{ numRuns: COUNT },
	);
});

const many = <T>(count: number, of: (index: number) => T) => Array.from({ length: count }, (_, at) => of(at));
const text = (words: string): Json => ({ type: 'TextBlock', text: words });

/** Cards of one shape, by how much of it they have. */
const SHAPES: Array<[string, (size: number) => ActivityBody]> = [
	['texts', (size) => messageOf({ body: many(size, (at) => text(`Line ${at}`)) })],
	['short texts with Markdown', (size) => messageOf({ body: many(size, () => text('**a** [b](c)')) })],
	['a long text', (size) => messageOf({ body: [text('*a '.repeat(size))] })],
	['white space', (size) => messageOf({ body: [text(`a${' \n'.repeat(size)}b`)] })],
	[
		'colons',
		(size) =>
			messageOf({ body: [{ type: 'FactSet', facts: [{ title: `${' :'.repeat(size)}b`, value: '1' }] }] }),
	],
	[
		'spaces in a fact',
		(size) =>
			messageOf({ body: [{ type: 'FactSet', facts: [{ title: `a${' '.repeat(size)}b`, value: '1' }] }] }),
	],
	['beginnings of dates', (size) => messageOf({ body: [text('{{DATE('.repeat(size))] })],
	[
		'facts',
		(size) =>
			messageOf({ body: [{ type: 'FactSet', facts: many(size, (at) => ({ title: `${at}`, value: 'a' })) }] }),
	],
	['empty elements', (size) => messageOf({ body: many(size, () => ({ type: 'Container', items: [] })) })],
	[
		'hidden elements',
		(size) =>
			messageOf({ body: many(size, (at) => ({ ...{ id: `${at}`, isVisible: false }, type: 'Container' })) }),
	],
	[
		'targets of actions',
		(size) =>
			messageOf({
				body: [{ type: 'TextBlock', text: 'a', isVisible: false, id: 'b' }],
				actions: [{ type: 'Action.ToggleVisibility', targetElements: many(size, (at) => `${at}`) }],
			}),
	],
	[
		'the same buttons',
		(size) => messageOf({ actions: many(size, () => ({ type: 'Action.Submit', title: 'a' })) }),
	],
	[
		'different buttons',
		(size) => messageOf({ actions: many(size, (at) => ({ type: 'Action.Submit', title: `${at}` })) }),
	],
	[
		'a long title',
		(size) => messageOf({ actions: [{ type: 'Action.Submit', title: `a${' '.repeat(size)}b` }] }),
	],
	[
		'a long address',
		(size) => messageOf({ actions: [{ type: 'Action.OpenUrl', url: `https://${'a@'.repeat(size)}` }] }),
	],
	[
		'rows',
		(size) =>
			messageOf({
				body: [
					{ type: 'Table', rows: many(size, () => ({ type: 'TableRow', cells: [{ items: [text('a')] }] })) },
				],
			}),
	],
	[
		'cells',
		(size) => messageOf({ body: [{ type: 'TableRow', cells: many(size, () => ({ items: [text('a')] })) }] }),
	],
	[
		'runs',
		(size) => messageOf({ body: [{ type: 'RichTextBlock', inlines: many(size, () => ({ text: 'a' })) }] }),
	],
	['keys', (size) => messageOf({ body: [Object.fromEntries(many(size, (at) => [`k${at}`, at]))] })],
	[
		'choices',
		(size) =>
			messageOf({ body: [{ type: 'Input.ChoiceSet', choices: many(size, (at) => ({ title: `${at}` })) }] }),
	],
	[
		'items of a receipt',
		(size) => messageOf({ items: many(size, (at) => ({ title: `${at}`, price: '1' })) }, 'receipt'),
	],
	['pictures', (size) => messageOf({ images: many(size, (at) => ({ alt: `${at}` })) }, 'hero')],
	['a text of JSON', (size) => messageOf(JSON.stringify({ body: many(size, () => text('a')) }))],
	[
		'texts of JSON, twenty times',
		(size) => ({
			attachments: many(20, () => ({
				contentType: 'application/vnd.microsoft.card.adaptive',
				content: JSON.stringify({ body: many(Math.min(size, 19_000), () => '') }),
			})),
		}),
	],
	['dates', (size) => messageOf({ body: [text('{{DATE(2026-11-29T12:30:00Z, SHORT)}}'.repeat(size))] })],
	['a text that is no JSON', (size) => messageOf('['.repeat(size))],
	[
		'cards',
		(size) => ({
			attachments: many(size, () => ({
				contentType: 'application/vnd.microsoft.card.adaptive',
				content: { body: [text('a')] },
			})),
		}),
	],
	[
		'suggested actions',
		(size) => ({ suggestedActions: { actions: many(size, (at) => ({ type: 'imBack', title: `${at}` })) } }),
	],
];

/** The best of some runs, as other programs use the processor, too. */
const leastMs = (activity: ActivityBody) => Math.min(...many(3, () => read(activity).ms));

describe.each(SHAPES)('a card of %s', (_, shape) => {
	test('is read within limits, in no time that grows faster than it does', () => {
		expectBounded(read(shape(20_000)));
		// Eight times as much takes eight times as long, or 64 times where the work is quadratic.
		const small = leastMs(shape(5_000));
		const large = leastMs(shape(40_000));
		expect(large).toBeLessThan(Math.max(small, 1) * 24);
	});
});

test('what a message of cards costs before it is filtered is bounded', () => {
	const content = JSON.stringify({ body: many(19_000, () => '') });
	const cards = many(20, () => ({ contentType: 'application/vnd.microsoft.card.adaptive', content }));
	const leastOf = (activity: ActivityBody) =>
		Math.min(
			...many(5, () => {
				const start = process.cpuUsage();
				expect(messageContentOf(activity)).toHaveProperty('text');
				const { user, system } = process.cpuUsage(start);
				return (user + system) / 1000;
			}),
		);
	expect(leastOf({ type: 'message', attachments: cards })).toBeLessThan(40);
	// Markdown is read for what starts the workflow only.
	const { cards: read } = filesAndCardsOf(messageOf({ body: [text('[*a*](b)')] }));
	const plainText = Object.getOwnPropertyDescriptor(readCards({}, read), 'plainText');
	expect(plainText).toMatchObject({ get: expect.any(Function) as unknown });
});

/** The card of a level, in which the next one is. */
const NESTED: Array<[string, (inner: Json) => Json]> = [
	['containers', (inner) => ({ type: 'Container', items: [text('a'), inner] })],
	['rows', (inner) => ({ type: 'TableRow', cells: [inner, text('a')] })],
	[
		'cards in actions',
		(inner) => ({ body: [text('a')], actions: [{ type: 'Action.ShowCard', card: inner }] }),
	],
	['fallbacks', (inner) => ({ type: 'Later', fallback: inner })],
	['lists', (inner) => [inner]],
	['hidden elements', (inner) => ({ type: 'Container', isVisible: false, id: 'a', items: [inner] })],
];

test.each(NESTED)('deep %s end at a depth', (_, wrap) => {
	let content: Json = text('innermost');
	for (let depth = 0; depth < 5_000; depth++) content = wrap(content);
	const result = read(messageOf({ body: [content] }));
	expectBounded(result);
	expect(result.text ?? '').not.toContain('innermost');
	expect(result.ms).toBeLessThan(100);
});

test('what branches at each level, as if it held itself, is read to a number of elements', () => {
	const leaves: Json[] = [text('a')];
	// The same object again and again: far more elements than memory could hold.
	for (let depth = 0; depth < 30; depth++)
		leaves[0] = { type: 'Container', items: many(10, () => leaves[0] ?? null) };
	const result = read(messageOf({ body: leaves }));
	expectBounded(result);
	expect(result.ms).toBeLessThan(500);
});
