import fc from 'fast-check';
import { InputError } from '../../../nodes/shared/transport/errors';
import { checkTemplate } from '../../../nodes/AzureCommunicationConversations/operations/message/template';

const text = { name: 'who', kind: 'text', text: 'Anna' };
const bound = { kind: 'whatsApp', body: [{ refValue: 'who' }] };
const template = (more: object = {}) => ({
	name: 'hello',
	language: 'en_US',
	values: [text],
	bindings: bound,
	...more,
});
const withValue = (value: object) =>
	template({
		values: [{ name: 'v', ...value }],
		bindings: { kind: 'whatsApp', header: [{ refValue: 'v' }] },
	});

// What the service takes as it is. Source: docs/service-facts.md#acs-templates.
test.each<[string, Record<string, unknown>]>([
	['a text in the body', template()],
	['a template without values', { name: 'hello', language: 'en' }],
	['an image', withValue({ kind: 'image', url: 'https://example.com/a.png', caption: 'A' })],
	['a video', withValue({ kind: 'video', url: 'https://example.com/a.mp4' })],
	['a document', withValue({ kind: 'document', url: 'https://example.com/a.pdf', fileName: 'a.pdf' })],
	[
		'a location',
		withValue({ kind: 'location', latitude: 52.5, longitude: -13.4, locationName: 'Here', address: 'There' }),
	],
	[
		'a button’s action',
		{
			...template({ values: [{ name: 'b', kind: 'quickAction', payload: 'yes' }] }),
			bindings: { kind: 'whatsApp', buttons: [{ subType: 'quickReply', refValue: 'b' }] },
		},
	],
	[
		'one value in several places',
		template({
			bindings: {
				...bound,
				header: [{ refValue: 'who' }],
				footer: [{ refValue: 'who' }],
				buttons: [{ subType: 'url', refValue: 'who' }],
			},
		}),
	],
	['keys that are not known', template({ futureKey: 1, values: [{ ...text, other: true }] })],
])('lets %s through', (_, given) =>
	expect(checkTemplate(given as never)).toEqual({ template: given, unused: [] }),
);

test.each(['a\nb', 'a\r\nb', 'a\tb', 'a     b', 'a\u2028b'])(
	'refuses %j in a value, as WhatsApp does',
	(given) => {
		for (const kind of ['text', 'quickAction']) {
			const value = { name: 'days', kind, text: given };
			expect(() => checkTemplate({ name: 'a', language: 'en', values: [value] })).toThrow(
				'Value 1 (days): Text has a line break, a tab, or more than four blanks in a row',
			);
		}
	},
);

test('four blanks in a row are sent', () => {
	const values = [{ name: 'days', kind: 'text', text: 'a    b' }];
	expect(checkTemplate({ name: 'a', language: 'en', values }).template.values).toEqual(values);
});

test('what is null is left out, as the service refuses it', () => {
	const given = { name: 'a', language: 'en', values: null, bindings: null };
	expect(checkTemplate(given).template).toEqual({ name: 'a', language: 'en' });
});

test('names the values that no binding uses', () => {
	const values = [text, { ...text, name: 'nobody' }, { ...text, name: 'else' }];
	expect(checkTemplate(template({ values }) as never).unused).toEqual(['nobody', 'else']);
	expect(checkTemplate({ name: 'a', language: 'de', values: [text] }).unused).toEqual(['who']);
});

test.each<[string, unknown, string]>([
	['what is no object', 'hello', 'not an object'],
	[
		'a part that is not known',
		template({ bindings: { kind: 'whatsApp', footers: [] } }),
		'unknown part: footers',
	],
	['a list', [], 'not an object'],
	['no name', template({ name: ' ' }), 'The template has no name'],
	['no language', template({ language: '' }), 'The template has no language'],
	[
		'a language by its name',
		template({ language: 'English' }),
		'The template’s language is no language code: English',
	],
	['values that are no list', template({ values: {} }), 'values are not a list'],
	['a value that is no object', template({ values: ['x'] }), 'Value 1 of the template is not an object'],
	['a value without a name', template({ values: [{ kind: 'text', text: 'x' }] }), 'has no Name'],
	[
		'two values of one name',
		template({ values: [text, text] }),
		'Two values of the template have the name who',
	],
	['an unknown kind', withValue({ kind: 'sticker' }), 'Value 1 (v) has an unknown kind'],
	['an empty text', withValue({ kind: 'text', text: ' ' }), 'Value 1 (v) has no Text'],
	['a picture without its URL', withValue({ kind: 'image' }), 'Value 1 (v): URL is empty'],
	[
		'a picture that nobody can fetch',
		withValue({ kind: 'image', url: 'http://192.168.0.2/a.png' }),
		'its address is a private one',
	],
	[
		'a picture on this machine',
		withValue({ kind: 'video', url: 'https://localhost/a.mp4' }),
		'it names this machine',
	],
	['a file that is no URL', withValue({ kind: 'document', url: 'a.pdf' }), 'is not a URL'],
	[
		'a file of another scheme',
		withValue({ kind: 'document', url: 'ftp://example.com/a.pdf' }),
		'is not a URL',
	],
	['a place beyond the pole', withValue({ kind: 'location', latitude: 91, longitude: 0 }), 'Latitude'],
	['a place without its longitude', withValue({ kind: 'location', latitude: 1 }), 'Longitude'],
	['bindings that are no object', template({ bindings: [] }), 'bindings are not an object'],
	['bindings of another kind', template({ bindings: { kind: 'sms' } }), 'unknown kind'],
	[
		'a part that is no list',
		template({ bindings: { kind: 'whatsApp', body: {} } }),
		'bindings of body are not a list',
	],
	[
		'a reference to nothing',
		template({ bindings: { kind: 'whatsApp', body: [{ refValue: 'whom' }] } }),
		'body refers to whom, which is not among',
	],
	[
		'a reference without a name',
		template({ bindings: { kind: 'whatsApp', footer: [{}] } }),
		'footer names no value',
	],
	['a reference where there are no values', { name: 'a', language: 'en', bindings: bound }, 'refers to who'],
	[
		'an unknown button',
		template({ bindings: { kind: 'whatsApp', buttons: [{ subType: 'call', refValue: 'who' }] } }),
		'unknown subType',
	],
])('refuses %s', (_, given, message) => {
	expect(() => checkTemplate(given as never)).toThrow(message);
	expect(() => checkTemplate(given as never)).toThrow(InputError);
});

test('whatever it is given, it lets it through or refuses it by name', () => {
	const keys = fc.constantFrom(
		'name',
		'language',
		'values',
		'bindings',
		'kind',
		'body',
		'buttons',
		'refValue',
		'subType',
		'text',
		'url',
	);
	const { tree } = fc.letrec((tie) => ({
		tree: fc.oneof(
			{ depthSize: 'small', withCrossShrink: true },
			fc.constantFrom('whatsApp', 'text', 'who', 'en'),
			fc.anything({ maxDepth: 0 }),
			tie('list'),
			tie('object'),
		),
		list: fc.array(tie('tree'), { maxLength: 3 }),
		object: fc.dictionary(keys, tie('tree'), { maxKeys: 5 }),
	}));
	fc.assert(
		fc.property(
			fc.oneof(
				tree,
				fc.dictionary(keys, tree).map((one) => template(one)),
			),
			(given) => {
				try {
					const { template: checked, unused } = checkTemplate(given);
					expect(checked.name.trim()).not.toBe('');
					expect(unused.every((name) => checked.values?.some((value) => value.name === name))).toBe(true);
				} catch (error) {
					expect(error).toMatchObject({ name: 'InputError' });
				}
			},
		),
		{ numRuns: 2_000 },
	);
});

test.each([
	['../../a.pdf', 'a.pdf'],
	['C:\\x\\a\r\n\0.pdf', 'a.pdf'],
	['..', undefined],
])('the name of a document is its last part, without signs that cannot be seen: %j', (given, fileName) => {
	const value = { kind: 'document', url: 'https://example.com/a.pdf', fileName: given };
	expect(checkTemplate(withValue(value)).template.values).toEqual([
		{ name: 'v', kind: 'document', url: value.url, fileName },
	]);
});
