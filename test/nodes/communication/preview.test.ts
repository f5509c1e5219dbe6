import { previewOf } from '../../../nodes/AzureCommunicationConversations/operations/message/preview';
import type { Template } from '../../../nodes/AzureCommunicationConversations/operations/message/template';
import { readContent } from '../../../nodes/AzureCommunicationConversations/operations/message/templateContent';

const preview = (components: object[], template: Partial<Template>) =>
	previewOf(readContent(components as never)!, { name: 'a', language: 'en', ...template });
const body = (text: string) => ({ type: 'BODY', text });
const text = (name: string, value: string) => ({ name, kind: 'text' as const, text: value });
const bound = (...names: string[]) => names.map((refValue) => ({ refValue }));

test('header, body, footer and buttons, each on its lines', () => {
	const components = [
		{ type: 'HEADER', format: 'TEXT', text: 'Order {{1}}' },
		body('Hello {{1}},\nyour {{2}} is here, {{1}}.'),
		{ type: 'FOOTER', text: 'Contoso' },
		{
			type: 'BUTTONS',
			buttons: [
				{ type: 'QUICK_REPLY', text: 'Thanks' },
				{ type: 'URL', text: 'Home', url: 'https://example.com' },
				{ type: 'URL', text: 'Track', url: 'https://example.com/{{1}}' },
			],
		},
	];
	const template = {
		values: [
			text('order', '17'),
			text('who', 'Anna'),
			text('what', 'heat pump'),
			{ name: 'yes', kind: 'quickAction' as const, payload: 'yes' },
			{ name: 'track', kind: 'quickAction' as const, text: 'abc' },
		],
		bindings: {
			kind: 'whatsApp',
			header: bound('order'),
			body: bound('who', 'what'),
			buttons: [
				{ subType: 'quickReply', refValue: 'yes' },
				{ subType: 'url', refValue: 'track' },
			],
		},
	};
	expect(preview(components, template)).toBe(
		[
			'Order 17',
			'Hello Anna,\nyour heat pump is here, Anna.',
			'Contoso',
			'[Thanks]',
			'[Home: https://example.com]',
			'[Track: https://example.com/abc]',
		].join('\n'),
	);
});

test('named placeholders, in whatever order they are bound', () => {
	const template = {
		values: [text('day', 'Friday'), text('name', 'Anna')],
		bindings: { body: bound('day', 'name') },
	};
	expect(preview([body('{{name}}: {{day}}')], template)).toBe('Anna: Friday');
});

test.each<[string, Record<string, unknown>, string]>([
	['IMAGE', { kind: 'image', url: 'https://example.com/a.png' }, '[Image: https://example.com/a.png]'],
	['DOCUMENT', { kind: 'document', url: 'https://example.com/a', fileName: 'b.pdf' }, '[Document: b.pdf]'],
	['VIDEO', { kind: 'video', url: 'https://example.com/a.mp4' }, '[Video: https://example.com/a.mp4]'],
	['LOCATION', { kind: 'location', latitude: 1, longitude: 2 }, '[Location: 1, 2]'],
	['LOCATION', { kind: 'location', latitude: 1, longitude: 2, locationName: 'Shop' }, '[Location: Shop]'],
])('a header of the format %s', (format, value, line) => {
	const template = {
		values: [{ name: 'h', ...value }] as Template['values'],
		bindings: { header: bound('h') },
	};
	expect(preview([{ type: 'HEADER', format }, body('x')], template)).toBe(`${line}\nx`);
});

test.each(['image', 'video', 'document', 'location'])(
	'a header of a %s without a value is named alone',
	(kind) => {
		const header = { type: 'HEADER', format: kind.toUpperCase() };
		const line = `[${kind.charAt(0).toUpperCase()}${kind.slice(1)}]`;
		const unfilled = {
			values: [{ name: 'h', kind }] as Template['values'],
			bindings: { header: bound('h') },
		};
		for (const template of [{}, { bindings: { header: bound('nothing') } }, unfilled])
			expect(preview([header, body('x')], template)).toBe(`${line}\nx`);
	},
);

test('half of a place is no place', () => {
	const template = {
		values: [{ name: 'h', kind: 'location' as const, latitude: 1 }],
		bindings: { header: bound('h') },
	};
	expect(preview([{ type: 'HEADER', format: 'LOCATION' }, body('x')], template)).toBe('[Location]\nx');
});

test.each<[string, Partial<Template>]>([
	['no values', {}],
	['bindings of another form', { bindings: { body: 'x', header: [null], buttons: {} } }],
	['a binding to nothing', { values: [], bindings: { body: bound('who') } }],
])('%s: the placeholder stays', (_name, template) => {
	expect(preview([body('Hello {{1}}')], template)).toBe('Hello {{1}}');
});
