import { withButtonsBelow } from '../../../nodes/Dynamics365Messaging/activity/cards/readCards';
import type { Button, MessageItem } from '../../../nodes/Dynamics365Messaging/activity/items';
import { readActivity } from '../../../nodes/Dynamics365Messaging/activity/read';
import type { Json } from '../../../nodes/shared/json';

const CONVERSATION = '8a1f6a52-3b57-4a0b-9e58-6c6b3d1f0a11';
type Fields = { [key: string]: Json };

const itemOf = (fields: Fields) =>
	readActivity({ type: 'message', ...fields }, CONVERSATION, '2026-11-29T12:00:00.000Z');

function read(fields: Fields): MessageItem {
	const item = itemOf(fields);
	if (item.eventType !== 'message') throw new Error(`This is a ${item.eventType}`);
	return { ...item };
}

const card = (kind: string, content: Json): Fields => ({
	contentType: `application/vnd.microsoft.card.${kind}`,
	content,
});
const adaptive = (...body: Json[]) => card('adaptive', { type: 'AdaptiveCard', version: '1.5', body });
const withActions = (...actions: Json[]) =>
	card('adaptive', { type: 'AdaptiveCard', version: '1.5', body: [], actions });

/** All keys in PascalCase, also in the cards, as programs in .NET write them. */
function pascal(value: Json): Json {
	if (Array.isArray(value)) return value.map(pascal);
	if (typeof value !== 'object' || value === null) return value;
	return Object.fromEntries(
		Object.entries(value).map(([key, inner]) => [key.charAt(0).toUpperCase() + key.slice(1), pascal(inner)]),
	);
}

const button = (title: string, value: string, type: string | null = 'imBack'): Button => ({
	title,
	value,
	type,
	url: null,
});
const link = (title: string, url: string, type = 'openUrl'): Button => ({ title, value: null, type, url });

/** A message of each kind that is documented, with what a workflow reads of it. */
const SAMPLES: Array<
	[string, Fields, { text: string | null; plainText?: string | null; buttons: Button[] }]
> = [
	[
		'quick replies',
		{
			text: 'Does the pump run **now**?',
			suggestedActions: {
				to: ['kim'],
				actions: [
					{ type: 'imBack', title: 'It runs', value: 'yes' },
					{ type: 'postBack', title: 'It does not', value: 'no', image: 'https://example.com/no.png' },
				],
			},
		},
		{
			text: 'Does the pump run **now**?',
			plainText: 'Does the pump run now?',
			buttons: [button('It runs', 'yes'), button('It does not', 'no', 'postBack')],
		},
	],
	[
		'a hero card',
		{
			attachments: [
				card('hero', {
					title: 'Garden pump 300',
					subtitle: 'In stock',
					text: 'Moves **3,000 l** an hour',
					images: [{ url: 'https://example.com/pump.png', alt: 'A pump' }],
					buttons: [
						{ type: 'openUrl', title: 'See it', value: 'https://example.com/pump' },
						{
							type: 'messageBack',
							title: 'Order',
							text: 'I order it',
							displayText: 'Ordered',
							value: { id: 7 },
						},
					],
					tap: { type: 'openUrl', title: 'See it', value: 'https://example.com/pump' },
				}),
			],
		},
		{
			text: 'Garden pump 300\nIn stock\nMoves **3,000 l** an hour',
			plainText: 'Garden pump 300\nIn stock\nMoves 3,000 l an hour',
			buttons: [link('See it', 'https://example.com/pump'), button('Order', 'I order it', 'messageBack')],
		},
	],
	[
		'a carousel of thumbnail cards',
		{
			attachmentLayout: 'carousel',
			attachments: [
				card('thumbnail', { title: 'Hose', buttons: [{ type: 'imBack', title: 'Take it', value: 'Hose' }] }),
				card('thumbnail', {
					title: 'Filter',
					buttons: [{ type: 'imBack', title: 'Take it', value: 'Filter' }],
				}),
			],
		},
		{ text: 'Hose\n\nFilter', buttons: [button('Take it', 'Hose'), button('Take it', 'Filter')] },
	],
	[
		'a receipt',
		{
			attachments: [
				card('receipt', {
					title: 'Order A-1042',
					facts: [
						{ key: 'Paid by', value: 'Card' },
						{ key: 'Branch: ', value: 'North' },
					],
					items: [
						{
							title: 'Filter',
							subtitle: 'Fine',
							price: '€ 19.20',
							quantity: '2',
							image: { alt: 'A filter' },
						},
						{ title: 'Delivery', price: '€ 4.00', quantity: 1 },
					],
					total: '€ 42.40',
					tax: '€ 0.00',
					vat: '€ 6.77',
					buttons: [{ type: 'downloadFile', title: 'Invoice', value: 'https://example.com/a.pdf' }],
				}),
			],
		},
		{
			text: 'Order A-1042\nFilter: 2 × € 19.20\nFine\nDelivery: € 4.00\nPaid by: Card\nBranch: North\nTotal: € 42.40\nTax: € 0.00\nVAT: € 6.77',
			buttons: [link('Invoice', 'https://example.com/a.pdf', 'downloadFile')],
		},
	],
	[
		'a sign-in card',
		{
			attachments: [
				card('signin', {
					text: 'Please sign in',
					buttons: [{ type: 'signin', title: 'Sign in', value: 'https://login.example.com/' }],
				}),
			],
		},
		{ text: 'Please sign in', buttons: [link('Sign in', 'https://login.example.com/', 'signin')] },
	],
	[
		'an OAuth card, whose button leads nowhere by itself',
		{
			attachments: [
				card('oauth', {
					text: 'Connect your account',
					connectionName: 'crm',
					buttons: [{ type: 'signin', title: 'Connect' }],
				}),
			],
		},
		{ text: 'Connect your account', buttons: [] },
	],
	[
		'a video card',
		{
			attachments: [
				card('video', {
					title: 'How to turn it off',
					image: { url: 'https://example.com/still.png', alt: 'A valve' },
					media: [
						{ url: 'https://example.com/off.mp4', profile: 'hd' },
						{ url: 'https://example.com/off.webm' },
					],
					buttons: [{ type: 'call', title: 'Call us', value: 'tel:+4930123456' }],
				}),
			],
		},
		{
			text: 'How to turn it off\nhttps://example.com/off.mp4',
			buttons: [link('Call us', 'tel:+4930123456', 'call')],
		},
	],
	[
		'an animation and a picture of an audio card, whose words are what describes the picture',
		{
			attachments: [card('animation', { image: { url: 'https://example.com/a.gif', alt: 'A waving hand' } })],
		},
		{ text: 'A waving hand', buttons: [] },
	],
	[
		'an adaptive card with text, facts and actions',
		{
			attachments: [
				card('adaptive', {
					type: 'AdaptiveCard',
					version: '1.5',
					body: [
						{ type: 'TextBlock', text: 'Your **appointment**', size: 'large' },
						{
							type: 'FactSet',
							facts: [
								{ title: 'Day', value: '{{DATE(2026-12-03T14:30:00Z, SHORT)}}' },
								{ title: 'Time:', value: '{{TIME(2026-12-03T14:30:00+01:00)}}' },
							],
						},
						{ type: 'Image', url: 'https://example.com/map.png', altText: 'A map' },
					],
					actions: [
						{ type: 'Action.OpenUrl', title: 'Map', url: 'https://example.com/map' },
						{ type: 'Action.Submit', title: 'Move it', data: { verb: 'move', id: 7 } },
						{ type: 'Action.Submit', title: 'Cancel', data: 'Please cancel it' },
						{ type: 'Action.Execute', title: 'Confirm', verb: 'confirm' },
						{ type: 'Action.Submit', title: 'Not yet', isEnabled: false },
					],
				}),
			],
		},
		{
			text: 'Your **appointment**\nDay: 2026-12-03\nTime: 14:30 UTC+01:00',
			plainText: 'Your appointment\nDay: 2026-12-03\nTime: 14:30 UTC+01:00',
			buttons: [
				link('Map', 'https://example.com/map', 'Action.OpenUrl'),
				button('Move it', 'Move it', 'Action.Submit'),
				button('Cancel', 'Please cancel it', 'Action.Submit'),
				button('Confirm', 'Confirm', 'Action.Execute'),
			],
		},
	],
	[
		'an adaptive card with columns, a table and rich text, whose text has no Markdown',
		{
			attachments: [
				adaptive(
					{
						type: 'ColumnSet',
						columns: [
							{ type: 'Column', items: [{ type: 'TextBlock', text: 'From' }] },
							{ type: 'Column', items: [{ type: 'Container', items: [{ type: 'TextBlock', text: 'To' }] }] },
						],
						selectAction: { type: 'Action.OpenUrl', url: 'https://example.com/route' },
					},
					{
						type: 'RichTextBlock',
						inlines: [
							'A *2* ',
							{ type: 'TextRun', text: 'pump', selectAction: { type: 'Action.Submit', title: 'Pump' } },
						],
					},
					{
						type: 'Table',
						columns: [{ width: 1 }, { width: 2 }],
						rows: [
							{
								type: 'TableRow',
								cells: [
									{ type: 'TableCell', items: [{ type: 'TextBlock', text: '**Name**' }] },
									{
										type: 'TableCell',
										items: [
											{ type: 'TextBlock', text: 'Kim' },
											{ type: 'TextBlock', text: 'Berger' },
										],
									},
								],
							},
						],
					},
				),
			],
		},
		{
			text: 'From\nTo\nA *2* pump\n**Name** | Kim Berger',
			plainText: 'From\nTo\nA *2* pump\nName | Kim Berger',
			buttons: [
				link('https://example.com/route', 'https://example.com/route', 'Action.OpenUrl'),
				button('Pump', 'Pump', 'Action.Submit'),
			],
		},
	],
	[
		'an adaptive card with a form',
		{
			attachments: [
				adaptive(
					{
						type: 'Input.Text',
						id: 'name',
						label: 'Your name',
						placeholder: 'Kim',
						inlineAction: { type: 'Action.Submit', title: 'Send' },
					},
					{ type: 'Input.Date', id: 'day', placeholder: 'Which day?' },
					{ type: 'Input.Toggle', id: 'news', title: 'Send me news' },
					{
						type: 'Input.ChoiceSet',
						id: 'size',
						label: 'Size',
						choices: [{ title: 'Small', value: 's' }, { value: 'XL' }],
					},
					{ type: 'ActionSet', actions: [{ type: 'Action.Submit', title: 'Done' }] },
				),
			],
		},
		{
			text: 'Your name\nWhich day?\nSend me news\nSize\n- Small\n- XL',
			buttons: [button('Send', 'Send', 'Action.Submit'), button('Done', 'Done', 'Action.Submit')],
		},
	],
	[
		'an adaptive card within another',
		{
			attachments: [
				withActions({
					type: 'Action.ShowCard',
					title: 'Comment',
					card: {
						type: 'AdaptiveCard',
						body: [{ type: 'TextBlock', text: 'What do you think?' }],
						actions: [{ type: 'Action.Submit', title: 'OK' }],
					},
				}),
			],
		},
		{ text: 'Comment\nWhat do you think?', buttons: [button('OK', 'OK', 'Action.Submit')] },
	],
	[
		'an adaptive card with hidden elements, of which an action shows one',
		{
			attachments: [
				card('adaptive', {
					type: 'AdaptiveCard',
					body: [
						{ type: 'TextBlock', text: 'Summary' },
						{ type: 'TextBlock', id: 'more', text: 'Details', isVisible: false },
						{ type: 'Container', id: 'price', isVisible: false, items: [{ type: 'TextBlock', text: '€ 5' }] },
						{ type: 'TextBlock', id: 'draft', text: 'Internal', isVisible: false },
					],
					actions: [
						{
							type: 'Action.ToggleVisibility',
							title: 'More',
							targetElements: ['more', { elementId: 'price' }],
						},
					],
				}),
			],
		},
		{ text: 'Summary\nDetails\n€ 5', buttons: [] },
	],
	[
		'an adaptive card of a newer version',
		{
			attachments: [
				adaptive(
					{ type: 'Chart.Pie', title: 'By month', fallback: { type: 'TextBlock', text: 'May: 7' } },
					{ type: 'Badge', text: 'New', fallback: 'drop' },
					{
						type: 'Carousel',
						pages: [{ type: 'CarouselPage', items: [{ type: 'TextBlock', text: 'One' }] }],
					},
				),
			],
		},
		{ text: 'May: 7\nNew\nOne', buttons: [] },
	],
	[
		'an adaptive card without words, but with a fallback text',
		{
			attachments: [
				card('adaptive', { type: 'AdaptiveCard', body: [], fallbackText: 'Open it **in the app**' }),
			],
		},
		{ text: 'Open it **in the app**', plainText: 'Open it in the app', buttons: [] },
	],
	[
		'an adaptive card that asks to sign in',
		{
			attachments: [
				card('adaptive', {
					type: 'AdaptiveCard',
					body: [{ type: 'TextBlock', text: 'Hello' }],
					authentication: {
						buttons: [{ type: 'signin', title: 'Sign in', value: 'https://login.example.com/' }],
					},
				}),
			],
		},
		{ text: 'Hello', buttons: [link('Sign in', 'https://login.example.com/', 'signin')] },
	],
	[
		'a card without words, and a summary',
		{
			summary: 'A form for your address',
			attachments: [withActions({ type: 'Action.Submit', title: 'Go' })],
		},
		{ text: 'A form for your address', buttons: [button('Go', 'Go', 'Action.Submit')] },
	],
	[
		'a card beside a text, which stays the text',
		{ text: 'See *this*', attachments: [card('hero', { title: 'Pump', text: 'Loud' })] },
		{ text: 'See *this*', plainText: 'See this', buttons: [] },
	],
	[
		'buttons only',
		{
			suggestedActions: {
				actions: [
					{ type: 'imBack', value: 'Yes' },
					{ type: 'imBack', title: 'No' },
				],
			},
		},
		{ text: null, buttons: [button('Yes', 'Yes'), button('No', 'No')] },
	],
];

describe.each(SAMPLES)('%s', (_, sample, { text, plainText = text, buttons }) => {
	test.each([
		['in camelCase', sample],
		['in PascalCase', pascal(sample)],
	])('%s', (_case, fields) => {
		expect(read(fields as Fields)).toMatchObject({ text, plainText, buttons });
	});

	test('is passed on as it came', () => {
		const cards = (sample.attachments ?? []) as Fields[];
		const item = read(sample);
		expect(item.attachments).toEqual([]);
		expect(item.cards).toEqual(cards.map((one) => ({ name: null, ...one })));
		for (const [index, one] of cards.entries()) expect(item.cards[index]?.content).toBe(one.content);
	});
});

test('files and cards are told apart, each in their order', () => {
	const file = { contentType: 'image/png', contentUrl: 'https://example.com/a.png', name: 'a.png' };
	const hero = card('hero', { title: 'Hi' });
	const linked = {
		contentType: 'application/vnd.microsoft.card.adaptive',
		contentUrl: 'https://x.com/c.json',
	};
	const both = { ...hero, contentUrl: 'https://x.com/c.json' };
	const other = { contentType: 'application/json', contentUrl: ' ', content: { a: 1 }, name: 'data' };
	const empty = { contentType: 'application/vnd.microsoft.card.hero' };
	const nothing = { contentType: 'image/png' };
	const { attachments, cards } = read({ attachments: [hero, file, linked, both, other, empty, nothing, 7] });
	expect(attachments.map(({ contentUrl }) => contentUrl)).toEqual([file.contentUrl, linked.contentUrl, null]);
	expect(cards).toEqual([
		{ contentType: hero.contentType, name: null, content: { title: 'Hi' } },
		{ contentType: hero.contentType, name: null, content: { title: 'Hi' } },
		{ contentType: 'application/json', name: 'data', content: { a: 1 } },
		{ contentType: hero.contentType, name: null, content: null },
	]);
});

test('a card whose content is a text of JSON is read, and stays as it came', () => {
	const content = '{"Type":"AdaptiveCard","Body":[{"Type":"TextBlock","Text":"Hi"}]}';
	expect(read({ attachments: [card('adaptive', content)] })).toMatchObject({
		text: 'Hi',
		cards: [{ content }],
	});
	expect(read({ attachments: [card('adaptive', '{"body":')] })).toMatchObject({ text: null });
});

test('keys of a card that only look like those of the schema stay, and data is not read', () => {
	const data = { text: 'secret', Title: 'secret', buttons: [{ title: 'secret' }] };
	const item = read({ attachments: [withActions({ type: 'Action.Submit', title: 'Go', data })] });
	expect(item.text).toBeNull();
	expect(item.buttons).toEqual([button('Go', 'Go', 'Action.Submit')]);
	expect(item.cards[0]?.content).toMatchObject({ actions: [{ data }] });
});

test.each([
	['', null],
	['  ', null],
	['en-US', 'en-US'],
])('the locale %j and a reply to %j', (value, expected) => {
	expect(read({ text: 'a', locale: value, ReplyToId: value })).toMatchObject({
		locale: expected,
		replyToId: expected,
	});
});

test.each([
	'javascript:alert(1)',
	' JavaScript:alert(1)',
	'java\nscript:alert(1)',
	'vbscript:x',
	'data:text/html,<script>',
	'blob:https://x/1',
	'file:///etc/passwd',
])('a button that leads to %j is left out', (value) => {
	const actions: Json[] = [
		{ type: 'openUrl', title: 'Go', value },
		{ type: 'Action.OpenUrl', title: 'Go', url: value },
		{ type: 'signin', value },
	];
	expect(read({ text: 'a', suggestedActions: { actions } }).buttons).toEqual([]);
});

test.each([['mailto:kim@example.com'], ['whatsapp://send?text=hi'], ['www.example.com'], ['/relative']])(
	'a button that leads to %j is given',
	(value) => {
		const actions = [{ type: 'openUrl', title: 'Go', value }];
		expect(read({ text: 'a', suggestedActions: { actions } }).buttons).toEqual([link('Go', value)]);
	},
);

test.each<[string, Json]>([
	['an action without words', { type: 'imBack', image: 'https://example.com/a.png' }],
	['an action with an object alone', { type: 'postBack', value: { id: 7 } }],
	['null', null],
	['a list', [1]],
	['a boolean', true],
])('%s is no button', (_, action) => {
	expect(read({ text: 'a', suggestedActions: { actions: [action] } }).buttons).toEqual([]);
});

test('a text or a number instead of an action is one', () => {
	const actions: Json[] = [
		'Yes',
		7,
		{ type: 'imBack', title: 'How\n many?', value: 12 },
		{ type: 'messageBack', title: 'Order', value: 'program', text: 'I order it' },
	];
	expect(read({ text: 'a', suggestedActions: { actions } }).buttons).toEqual([
		button('Yes', 'Yes', null),
		button('7', '7', null),
		button('How many?', '12'),
		button('Order', 'I order it', 'messageBack'),
	]);
});

/** Texts of system events must never reach a customer, wherever they stand. */
test.each<[string, Fields]>([
	['with buttons', { text: 'EventName: **_AgentAccepted_**', suggestedActions: { actions: ['OK'] } }],
	['in the title of a card', { attachments: [card('hero', { title: 'EventName: **_AgentAccepted_**' })] }],
	[
		'in an adaptive card, beside an empty text',
		{ text: ' ', attachments: [adaptive({ type: 'TextBlock', text: 'EventName: **_AgentAccepted_**' })] },
	],
	['in a summary', { summary: 'EventName: **_AgentAccepted_**', attachments: [adaptive()] }],
])('a system event %s is an event', (_, fields) => {
	expect(itemOf(fields)).toMatchObject({ eventType: 'conversationEvent', eventName: 'AgentAccepted' });
	expect(itemOf(fields)).not.toHaveProperty('text');
});

test('of a card with very many lines, a thousand are read', () => {
	const choices = Array.from({ length: 2_000 }, () => ({ title: 'a' }));
	const { text } = read({ attachments: [adaptive({ type: 'Input.ChoiceSet', choices })] });
	expect(text?.split('\n')).toHaveLength(1_000);
});

test('an empty text without a card stays as it is', () => {
	expect(read({ text: '' })).toMatchObject({ text: '', plainText: '', buttons: [], cards: [] });
	expect(read({ text: ' ', summary: 'a' })).toMatchObject({ text: ' ' });
});

test.each([
	['Choose', [button('One', '1'), link('Page', 'https://x.com/')], 'Choose\n\n- One\n- Page: https://x.com/'],
	['Choose', [link('https://x.com/', 'https://x.com/')], 'Choose\n\n- https://x.com/'],
	[null, [button('One', '1')], '- One'],
	[' ', [button('One', '1')], '- One'],
	['Choose', [], 'Choose'],
	[null, [], null],
])('below %j', (text, buttons, expected) => expect(withButtonsBelow(text, buttons)).toBe(expected));
