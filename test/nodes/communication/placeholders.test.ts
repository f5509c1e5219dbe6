import fc from 'fast-check';
import { DEFAULT_TEMPLATES } from '../../../emulator/communication/templates';
import {
	fieldsFor,
	readPlaceholders,
} from '../../../nodes/AzureCommunicationConversations/operations/message/placeholders';
import { checkTemplate } from '../../../nodes/AzureCommunicationConversations/operations/message/template';
import {
	fillIn,
	placeholdersIn,
	readContent,
} from '../../../nodes/AzureCommunicationConversations/operations/message/templateContent';
import { InputError } from '../../../nodes/shared/transport/errors';
import { parametersOf } from '../../support/parameters';

const body = (text: string) => ({ type: 'BODY', text });
const fields = (...components: object[]) => {
	const content = readContent(components as never);
	return content ? fieldsFor(content) : undefined;
};
const ids = (...components: object[]) => fields(...components)?.map(({ id }) => id);
const read = (value: unknown, schema: unknown = []) =>
	readPlaceholders(parametersOf({ placeholders: { value, schema } }).parameters.collection('placeholders'));

describe('the content of a template', () => {
	test.each<[string, unknown]>([
		['a list', [body('x')]],
		['below components', { components: [body('x')] }],
		['a text of JSON', JSON.stringify([body('x')])],
		['in small letters', [{ type: 'body', text: 'x' }]],
	])('is read as %s', (_name, content) => {
		expect(readContent(content as never)).toMatchObject({ body: 'x', header: undefined, buttons: [] });
	});

	test.each([
		null,
		'x',
		'{',
		7,
		{},
		[],
		[null],
		[{ type: 'FOOTER', text: 'x' }],
		[{ type: 'BODY', text: {} }],
	])('is not read without a body: %j', (content) => {
		expect(readContent(content as never)).toBeUndefined();
	});

	test.each([
		['{{1}} {{2}}', ['1', '2']],
		['{{2}} {{1}} {{10}} {{2}}', ['1', '2', '10']],
		['{{ name }} and {{name}}', ['name']],
		['{{b}} {{a}}', ['b', 'a']],
		['{1} {{}} {{a b}}', []],
	])('has its placeholders in the order in which they are filled: %s', (text, names) => {
		expect(placeholdersIn(text)).toEqual(names);
	});

	test('a value that looks like a placeholder is not filled again', () => {
		const values: Record<string, string> = { 1: '{{2}} $& $1', 2: 'two' };
		expect(fillIn('{{1}}, {{2}}, {{3}}', (name) => values[name])).toBe('{{2}} $& $1, two, {{3}}');
	});
});

describe('the fields of a template', () => {
	test.each<[string, string[]]>([
		['shipping_confirmation', ['body_1']],
		[
			'purchase_feedback',
			['headerImage', 'body_1', 'body_2', 'button1Payload', 'button2Payload', 'button3UrlEnd'],
		],
		[
			'store_location',
			['headerLatitude', 'headerLongitude', 'headerLocationName', 'headerAddress', 'body_1'],
		],
		['invoice', ['headerDocument', 'headerDocumentName', 'body_1']],
		['assembly_video', ['headerVideo', 'body_1']],
		['appointment_reminder', ['header_day', 'body_customer_name', 'body_day', 'body_time']],
	])('%s', (name, expected) => {
		const { content } = DEFAULT_TEMPLATES.find((template) => template.name === name)!;
		expect(ids(...(content as object[]))).toEqual(expected);
	});

	test('say what they fill, and are required but for what WhatsApp does not need', () => {
		const shown = fields(
			{ type: 'HEADER', format: 'DOCUMENT' },
			body('Your package has been shipped. It will be delivered in {{1}} business days.'),
			{
				type: 'BUTTONS',
				buttons: [
					{ type: 'QUICK_REPLY', text: 'Stop' },
					{ type: 'URL', text: 'Track', url: 'https://example.com/{{1}}' },
					{ type: 'URL', text: 'Home', url: 'https://example.com' },
					{ type: 'PHONE_NUMBER', text: 'Call', phone_number: '+1' },
				],
			},
		)!;
		expect(shown.map(({ displayName, required, type }) => [displayName, required, type])).toEqual([
			['Header document URL', true, 'string'],
			['Header document name', false, 'string'],
			['Body {{1}}: …delivered in {{1}} business days.', true, 'string'],
			['Button 1 payload: Stop', true, 'string'],
			['Button 2 end of URL: Track (https://example.com/{{1}})', true, 'string'],
		]);
		expect(shown.map(({ defaultValue }) => defaultValue)).toEqual([
			undefined,
			undefined,
			undefined,
			'Stop',
			undefined,
		]);
	});

	test('never hold an expression that a template says', () => {
		const [button] = fields(body('x'), {
			type: 'BUTTONS',
			buttons: [{ type: 'QUICK_REPLY', text: '={{ $env }}' }],
		})!;
		expect(button!.defaultValue).toBeUndefined();
		expect(button!.displayName.startsWith('=')).toBe(false);
	});

	test('a template without placeholders has none', () => {
		expect(ids(body('Hello'), { type: 'HEADER', format: 'TEXT', text: 'Hi' })).toEqual([]);
	});
});

describe('the values', () => {
	test('of every kind, in the order of the message', () => {
		const template = read({
			button2UrlEnd: 'abc',
			button1Payload: 'yes',
			body_2: 'b',
			body_1: 'a',
			headerImage: 'https://example.com/a.png',
		});
		expect(template).toEqual({
			values: [
				{ name: 'headerFile', kind: 'image', url: 'https://example.com/a.png' },
				{ name: 'body1', kind: 'text', text: 'a' },
				{ name: 'body2', kind: 'text', text: 'b' },
				{ name: 'buttonAction1', kind: 'quickAction', payload: 'yes' },
				{ name: 'buttonAction2', kind: 'quickAction', text: 'abc' },
			],
			bindings: {
				kind: 'whatsApp',
				header: [{ refValue: 'headerFile' }],
				body: [{ refValue: 'body1' }, { refValue: 'body2' }],
				buttons: [
					{ subType: 'quickReply', refValue: 'buttonAction1' },
					{ subType: 'url', refValue: 'buttonAction2' },
				],
			},
		});
		expect(checkTemplate({ name: 'a', language: 'en', ...template }).unused).toEqual([]);
	});

	test('with names have exactly those of the template, and stand once', () => {
		expect(read({ header_day: 'Friday', body_day: 'Friday', body_time: '9:30' })).toEqual({
			values: [
				{ name: 'day', kind: 'text', text: 'Friday' },
				{ name: 'time', kind: 'text', text: '9:30' },
			],
			bindings: {
				kind: 'whatsApp',
				header: [{ refValue: 'day' }],
				body: [{ refValue: 'day' }, { refValue: 'time' }],
			},
		});
		expect(() => read({ header_day: 'Friday', body_day: 'Monday' })).toThrow(
			'Two placeholders have the name {{day}} and different values',
		);
	});

	test.each<[string, Record<string, unknown>, object]>([
		[
			'a place',
			{ headerLatitude: '52.5', headerLongitude: -13, headerAddress: 'There' },
			{ kind: 'location', latitude: 52.5, longitude: -13, address: 'There' },
		],
		[
			'a document with its name',
			{ headerDocument: 'https://example.com/a.pdf', headerDocumentName: '../b.pdf' },
			{ kind: 'document', url: 'https://example.com/a.pdf', fileName: 'b.pdf' },
		],
		[
			'a video',
			{ headerVideo: 'https://example.com/a.mp4' },
			{ kind: 'video', url: 'https://example.com/a.mp4' },
		],
	])('%s in the header', (_name, given, value) => {
		expect(read(given)).toEqual({
			values: [{ name: 'headerFile', ...value }],
			bindings: { kind: 'whatsApp', header: [{ refValue: 'headerFile' }] },
		});
	});

	test.each<[unknown, string]>([
		[7, '7'],
		[0, '0'],
		[1.5, '1.5'],
		[false, 'false'],
		[new Date('2026-01-31T09:00:00Z'), '2026-01-31T09:00:00.000Z'],
	])('that are no texts become some: %j', (given, text) => {
		expect(read({ body_1: given }).values).toEqual([{ name: 'body1', kind: 'text', text }]);
	});

	test.each<[string, unknown, unknown, string]>([
		['an empty text', { body_1: '' }, [], 'Body {{1}} is empty'],
		['blanks', { body_1: ' \n' }, [], 'Body {{1}} is empty'],
		['null', { body_1: null }, [], 'Body {{1}} is empty'],
		['a field that was never filled', {}, [{ id: 'body_1', required: true }], 'Body {{1}} is empty'],
		[
			'no value at all',
			null,
			[{ id: 'body_customer_name', required: true }],
			'Body {{customer_name}} is empty',
		],
		['a gap', { body_1: 'a', body_3: 'c' }, [], 'Body {{2}} is empty'],
		['an object', { body_1: { a: 1 } }, [], 'Body {{1}} must be a text'],
		['a list', { header_1: ['a'] }, [], 'Header {{1}} must be a text'],
		['what is not a number', { body_1: Number.NaN }, [], 'Body {{1}} is NaN'],
		['a line break', { body_1: 'a\nb' }, [], 'Body {{1}} has a line break'],
		['a picture without its URL', {}, [{ id: 'headerImage', required: true }], 'Header image URL is empty'],
		[
			'a picture at home',
			{ headerImage: 'http://192.168.0.2/a.png' },
			[],
			'Header image URL cannot be fetched',
		],
		['half a place', { headerLatitude: 1 }, [], 'Header longitude is not a number'],
		['an empty place', { headerLatitude: '', headerLongitude: '' }, [], 'Header latitude is not a number'],
		['an empty payload', { button1Payload: '' }, [], 'Button 1 payload is empty'],
		['an empty end of a URL', { button3UrlEnd: '' }, [], 'Button 3 end of URL is empty'],
		['a field that no template has', { sideways_1: 'x' }, [], 'a field that no template has: sideways_1'],
		['a position far away', { body_99999999999: 'x' }, [], 'Body {{1}} is empty'],
	])('%s: refused by the name of the field', (_name, value, schema, message) => {
		expect(() => read(value, schema)).toThrow(message);
		expect(() => read(value, schema)).toThrow(InputError);
	});

	test('a template’s own numbers may have a gap', () => {
		expect(read({ body_2: 'b' }, [{ id: 'body_2', required: true }]).values).toEqual([
			{ name: 'body2', kind: 'text', text: 'b' },
		]);
	});

	test('what WhatsApp does not need may stay empty', () => {
		const schema = [{ id: 'headerDocumentName', required: false }];
		expect(
			read({ headerDocument: 'https://example.com/a.pdf', headerDocumentName: '' }, schema).values,
		).toEqual([{ name: 'headerFile', kind: 'document', url: 'https://example.com/a.pdf' }]);
	});

	test.each([null, undefined, {}, 'x', []])('none are sent where there are none: %j', (value) => {
		expect(read(value)).toEqual({});
	});

	test('of the fields of any template are what the service takes', () => {
		const name = fc.constantFrom('1', '2', '3', 'day', 'name');
		const text = fc.array(
			fc.oneof(
				fc.constant('word'),
				name.map((one) => `{{${one}}}`),
			),
			{ minLength: 1 },
		);
		const part = (type: string) => text.map((words) => ({ type, format: 'TEXT', text: words.join(' ') }));
		fc.assert(
			fc.property(fc.tuple(part('HEADER'), part('BODY'), part('FOOTER')), (components) => {
				const shown = fields(...components) ?? [];
				const value = Object.fromEntries(shown.map(({ id }) => [id, 'same']));
				const { unused, template } = checkTemplate({ name: 'a', language: 'en', ...read(value, shown) });
				expect(unused).toEqual([]);
				expect(shown.length === 0).toBe(template.values === undefined);
			}),
		);
	});
});
