import * as fc from 'fast-check';
import { loadPackage, oneNode, serveTrigger } from '../support/n8n';

/** HOSTILE=10000 tries that many. */
const COUNT = Number(process.env.HOSTILE ?? 400);
const MOST_MS = 50;
/** Five times what the service takes for a message. */
const LONGEST = 140_000;
const CONVERSATION = '8a1f6a52-3b57-4a0b-9e58-6c6b3d1f0a11';

/** Text with digits that JavaScript cannot hold, which stands for itself in JSON. */
const HUGE_NUMBERS = ['9007199254740993', '1e400', `1${'0'.repeat(5_000)}`, `0.${'3'.repeat(5_000)}`];

const filled = (unit: string, length: number) =>
	unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
const nested = (open: string, close: string, depth: number) => open.repeat(depth) + close.repeat(depth);

const unit = fc.constantFrom(
	'__x*',
	'*a *',
	'[',
	'](',
	'`',
	'&',
	'&amp;',
	'<a ',
	'|-',
	'> ',
	'1. ',
	'https://x](',
	'\\',
	'a@b.',
	'\n\n',
	'👍',
	'{"a":',
	'%ff',
);
const text = fc
	.tuple(unit, unit, fc.constantFrom(10, 1_000, 10_000, 50_000))
	.map(([one, other, length]) => filled(one + other, length));
const ATTACHMENT = '{"contentType":"image/png","contentUrl":"https://%ff@x/a%2Fb%2F","name":"a/b\\u0000"}';
/** Texts of JSON, as what they hold matters: big numbers, the same key twice, depth. */
const value = fc.oneof(
	text.map((one) => JSON.stringify(one)),
	fc.constantFrom(...HUGE_NUMBERS, 'null', 'true', '[]', '{}', '""'),
	fc.constantFrom(20, 200, 5_000).map((depth) => nested('[', ']', depth)),
	fc.constantFrom(20, 200).map((depth) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`),
	fc.constantFrom(10, 20_000, 100_000).map((depth) => JSON.stringify(nested('[', ']', depth))),
	fc
		.constantFrom(100, 2_000)
		.map((count) => `[${Array.from({ length: count }, (_, at) => `{"k${at}":${at}}`).join(',')}]`),
	fc
		.constantFrom(100, 2_000)
		.map((count) => `{${Array.from({ length: count }, (_, at) => `"${filled(`k${at}`, 30)}":1`).join(',')}}`),
	fc.constantFrom(1, 200, 1_000).map((count) => `[${Array(count).fill(ATTACHMENT).join(',')}]`),
);
const key = fc.oneof(
	fc.constantFrom(
		'text',
		'Text',
		'type',
		'name',
		'value',
		'channelData',
		'ChannelData',
		'attachments',
		'entities',
		'from',
		'textFormat',
		'id',
		'suggestedActions',
		'__proto__',
		'constructor',
		'timestamp',
	),
	fc.constantFrom(1_000, 20_000).map((length) => filled('Key', length)),
);
/** What a card is made of, with a hostile value in it. */
const card = fc
	.tuple(
		value,
		fc.constantFrom('text', 'title', 'body', 'items', 'facts', 'actions', 'buttons', 'fallbackText', 'url'),
		fc.constantFrom('TextBlock', 'FactSet', 'Container', 'Action.OpenUrl', 'Action.ShowCard', 'imBack'),
		fc.constantFrom(1, 100, 1_000),
	)
	.map(([one, name, type, count]) => {
		const element = `{"type":"${type}","title":"a","${name}":${one}}`;
		return `{"body":[${Array(one.length > 100 ? 1 : count)
			.fill(element)
			.join(',')}],"${name}":${one}}`;
	});
/** Fields of an activity of which more than the name matters. */
const field = fc.oneof(
	value.map((one) => `"channelData":{"customEvent":true,"customEventName":"a","customEventValue":${one}}`),
	value.map((one) => `"suggestedActions":{"actions":${one}}`),
	fc
		.tuple(
			fc.oneof(
				card,
				card.map((one) => JSON.stringify(one)),
				value,
			),
			fc.constantFrom('adaptive', 'hero', 'x'),
			fc.constantFrom(1, 1, 20),
		)
		.map(([content, kind, count]) => {
			const one = `{"contentType":"application/vnd.microsoft.card.${kind}","content":${content}}`;
			return `"attachments":[${Array(count).fill(one).join(',')}]`;
		}),
);
const entry = fc.oneof(
	fc.tuple(key, value).map(([name, one]) => `${JSON.stringify(name)}:${one}`),
	field,
);
const body = fc
	.tuple(fc.constantFrom('message', 'event', 'typing', 'x'), fc.array(entry, { maxLength: 6 }))
	.map(([type, entries]) => {
		const rest = entries.map((one) => `,${one}`).join('');
		return `{"type":"${type}","conversation":{"id":"${CONVERSATION}"}${rest}}`;
	})
	.filter(({ length }) => length <= LONGEST);

test(`${COUNT} hostile deliveries cost no more than ${MOST_MS} ms of the processor each, whole`, async () => {
	const events = ['conversationEvent', 'customEvent', 'message', 'other', 'typing'];
	const json = oneNode('dynamics365MessagingTrigger', { verification: 'none', events });
	const trigger = await serveTrigger(await loadPackage(), json, {});
	let cost = 0;
	trigger.measure = async (webhook) => {
		const start = process.cpuUsage();
		const answer = await webhook();
		const { user, system } = process.cpuUsage(start);
		cost = (user + system) / 1000;
		return answer;
	};
	/** Milliseconds, of the trigger alone. */
	const costOf = async (one: string) => {
		cost = 0;
		const { status } = await fetch(`${trigger.url}/v3/conversations/${CONVERSATION}/activities`, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: one,
		});
		if (![200, 400, 413].includes(status)) throw new Error(`answered ${status}`);
		return cost;
	};
	await fc.assert(
		fc.asyncProperty(body, async (one) => {
			// The least of some, as a pause of the engine is not the delivery's fault.
			let least = Infinity;
			for (let tries = 0; tries < 5 && least >= MOST_MS; tries++) least = Math.min(least, await costOf(one));
			if (least >= MOST_MS) throw new Error(`${least} ms for ${one.length} characters: ${one.slice(0, 300)}`);
		}),
		{ numRuns: COUNT, seed: 20_261_129 },
	);
	await trigger.close();
}, 600_000);
