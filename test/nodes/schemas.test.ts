import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import Ajv from 'ajv';
import { loadOutputSchema, resolveOutputSchemaPath } from 'n8n-core';
import type { IDataObject } from 'n8n-workflow';
import { actionNode } from '../../nodes/Dynamics365Messaging/operations';
import { entries } from '../support/emulator';
import { emulator, loader, run as runOperation, useEmulator, usePackage } from '../support/operation';

/** The part of a schema that these tests use. */
interface Schema {
	type?: string | string[];
	properties?: Record<string, Schema>;
	items?: Schema;
}

const OPERATION_NAMES = actionNode.operations.map(({ resource, operation }) => `${resource}: ${operation}`);

usePackage();

/** What n8n asks by; its editor gives nothing else, its assistant would take another version's schema as well. */
function asked(name: string) {
	const { sourcePath } = loader.known.nodes.dynamics365Messaging!;
	const { version } = loader.getNode('dynamics365Messaging').type.description as { version: number };
	const [resource, operation] = name.split(': ');
	return { nodeDir: dirname(join(loader.directory, sourcePath)), version, resource, operation };
}

function schemaOf(name: string): Schema {
	return JSON.parse(readFileSync(resolveOutputSchemaPath(asked(name))!, 'utf8')) as Schema;
}

/** The paths of all fields that a schema describes, in its order, such as `attachments[].name`. */
function described({ properties = {} }: Schema, path = ''): string[] {
	return Object.entries(properties).flatMap(([name, schema]) => {
		const own = `${path}${name}`;
		return [own, ...(schema.items ? described(schema.items, `${own}[].`) : described(schema, `${own}.`))];
	});
}

/**
 * What the editor makes of a schema before the first run. It knows `type`, `properties` and `items` alone; of several
 * types it takes the first one and looks no further, so an object that may be null is to be marked as `nullable`.
 * Source: n8n's editor, useDataSchema, getSchemaForJsonSchema.
 */
function drawn(schema: Schema, path = ''): Array<{ path: string; type: string | undefined }> {
	if (schema.type === 'array') return schema.items ? drawn(schema.items, `${path}[]`) : [];
	if (schema.type !== 'object') return [];
	return Object.entries(schema.properties ?? {}).flatMap(([name, inner]) => {
		const own = path === '' ? name : `${path}.${name}`;
		return [{ path: own, type: [inner.type].flat()[0] }, ...drawn(inner, own)];
	});
}

function isRecord(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What the documentation calls typically null, and what is null wherever nothing failed. */
const MAY_STAY_NULL = new Set(['content', 'thumbnailUrl', 'downloadError', 'cards[].name', 'from.id']);

/** The paths of all fields that a value fills, known to the schema or not, down to where the schema says no more. */
function filled(schema: Schema | undefined, value: unknown, path = ''): string[] {
	if (!schema?.properties || !isRecord(value)) return [];
	return Object.entries(value).flatMap(([name, inner]) => {
		const own = `${path}${name}`;
		if (inner === null && !MAY_STAY_NULL.has(name) && !MAY_STAY_NULL.has(own)) return [];
		const known = schema.properties?.[name];
		if (!Array.isArray(inner)) return [own, ...filled(known, inner, `${own}.`)];
		return [own, ...inner.flatMap((entry) => filled(known?.items, entry, `${own}[].`))];
	});
}

describe('for every operation', () => {
	test.each(OPERATION_NAMES)('n8n finds a schema: %s', (name) => {
		const path = resolveOutputSchemaPath(asked(name))!;
		expect({ path, exists: existsSync(path) }).toEqual({ path, exists: true });
		expect(loadOutputSchema({ ...asked(name), versionFallback: true })).toEqual(schemaOf(name));
	});

	test.each(OPERATION_NAMES)('the editor draws every field, to be dragged into an expression: %s', (name) => {
		const schema = schemaOf(name);
		expect(schema.type).toBe('object');
		const fields = drawn(schema);
		expect(fields).not.toEqual([]);
		expect(fields.map(({ path }) => path)).toEqual(described(schema));
		// The icons of `null` and of an unknown type would suggest that there is no value.
		expect(fields.filter(({ type }) => type === undefined || type === 'null')).toEqual([]);
		// The editor joins names by dots whatever characters they have, and `a.b-c` would be a subtraction.
		expect(fields.filter(({ path }) => !/^\w+(\[\])?(\.\w+(\[\])?)*$/.test(path))).toEqual([]);
	});
});

test('there are schemas for operations alone, as n8n would take any other for the trigger’s too', () => {
	const folder = join(asked(OPERATION_NAMES[0]!).nodeDir, '__schema__');
	const files = readdirSync(folder, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map(({ parentPath, name }) => relative(folder, join(parentPath, name)));
	expect(files.sort()).toEqual(
		OPERATION_NAMES.map((name) => `v1.0.0/${name.replace(': ', '/')}.json`).sort(),
	);
});

describe('of every operation', () => {
	useEmulator();
	beforeEach(() => emulator.setWebhookUrl('https://n8n.example.com/webhook/a/b'));

	test.each(OPERATION_NAMES)(
		'all that comes out is in the schema, and the other way round: %s',
		async (name) => {
			const output = OUTPUTS[name];
			if (!output)
				throw new Error(`Add ${name} to OUTPUTS in test/nodes/schemas.test.ts: runs that fill its items`);
			const items = await output();
			const schema = schemaOf(name);
			// A context variable has one of several types, which ajv's strict mode must allow.
			const ajv = new Ajv({ strict: true, allowUnionTypes: true, allErrors: true });
			const validate = ajv.compile(schema);
			for (const item of items) {
				validate(item);
				expect({ item, errors: validate.errors }).toEqual({ item, errors: null });
			}
			const found = new Set(items.flatMap((item) => filled(schema, item)));
			expect([...found].sort()).toEqual(described(schema).sort());
		},
	);
});

async function run(name: string, parameters: IDataObject, item: IDataObject = {}): Promise<IDataObject[]> {
	const { items, error } = await runOperation(name, parameters, { items: [item] });
	expect(error).toBeUndefined();
	expect(items).not.toEqual([]);
	return items.map((one) => one.json);
}

/** Starts a conversation. @returns the value of the field for it */
async function startedConversation(): Promise<IDataObject> {
	const variable = [{ name: 'product', value: 'Heat pump' }];
	const [item] = await run('conversation: create', { contextVariables: { variable } });
	return { __rl: true, mode: 'id', value: item!.conversationId };
}

/** What is asked while the queue is open, and while it is closed. */
async function openAndClosed(name: string, parameters: IDataObject): Promise<IDataObject[]> {
	const options = { includeRaw: true };
	const { availability } = emulator.settings;
	Object.assign(availability, { opensAt: '2026-12-01T09:00:00Z', closesAt: '2026-12-01T17:00:00Z' });
	const open = await run(name, { ...parameters, options });
	availability.isOpen = false;
	return [...open, ...(await run(name, { ...parameters, options }))];
}

/** A conversation of a customer who is known, with files and words, up to its close. @returns its ID */
async function closedConversation(): Promise<string> {
	emulator.settings.transcripts.delayMs = 0;
	const [item] = await run('conversation: create', {
		customerId: 'kim',
		customer: { email: 'kim@example.com' },
		options: { startMessage: 'It is loud' },
	});
	const id = String(item!.conversationId);
	emulator.desk.accept(id);
	const file = { name: 'a.txt', contentType: 'text/plain', data: Buffer.from('turn it off') };
	emulator.desk.reply(id, { text: 'Turn it off', files: [file] });
	emulator.desk.linkCase(id, 'Loud pump');
	emulator.desk.close(id);
	return id;
}

/** The fields of a channel that lead to records with names. @returns as Create and Update have them */
function channelSettings(): IDataObject {
	const { languages, surveys } = emulator.world;
	const located = (record: { id: string } | undefined) => ({ __rl: true, mode: 'id', value: record!.id });
	return {
		languageId: located(languages[0]),
		surveyId: located(surveys[0]),
		surveyMode: 'link',
		surveyText: 'How was it?',
		aiAgentSurveyId: located(surveys[1]),
		aiAgentSurveyMode: 'inConversation',
		aiAgentSurveyText: 'How was the AI agent?',
	};
}

/** Changes the emulator's channel. */
async function updateChannel(): Promise<IDataObject[]> {
	const updateFields = { name: 'Kiosk', ...channelSettings() };
	return await run('channel: update', { channelId: emulator.world.channelId, updateFields });
}

/** The output of each operation, from as many runs as it takes to fill each of its fields. */
const OUTPUTS: Record<string, () => Promise<IDataObject[]>> = {
	'availability: getBeforeConversation': async () => {
		const workstreamId = { __rl: true, mode: 'id', value: emulator.world.workstreamId };
		return await openAndClosed('availability: getBeforeConversation', { workstreamId });
	},
	'availability: getForConversation': async () => {
		const conversationId = await startedConversation();
		return await openAndClosed('availability: getForConversation', { conversationId });
	},
	'channel: checkSetup': async () => await run('channel: checkSetup', {}),
	'channel: create': async () => {
		const [linked] = await run('channel: linkManagedIdentity', {});
		expect(linked).toBeDefined();
		const workstreamId = { __rl: true, mode: 'list', value: emulator.world.workstreamId };
		const additionalFields = { workstreamId, ...channelSettings() };
		const naming = { name: 'Kiosk', webhookUrl: 'https://n8n.example.com/webhook/a' };
		const created = await run('channel: create', { ...naming, additionalFields });
		// A new channel has no managed identity yet; one that is there has.
		return [...created, ...(await run('channel: get', {}))];
	},
	'channel: delete': async () => {
		const [created] = await run('channel: create', { name: 'Kiosk' });
		return await run('channel: delete', { channelId: created!.channelId });
	},
	'channel: get': async () => {
		await updateChannel();
		return await run('channel: get', {});
	},
	'channel: getMany': async () => {
		await updateChannel();
		return await run('channel: getMany', {});
	},
	'channel: linkManagedIdentity': async () => await run('channel: linkManagedIdentity', {}),
	'channel: update': updateChannel,
	'conversation: create': async () => {
		const parameters = { customerId: 'jdoe', options: { startMessage: 'Hello?' } };
		const first = await run('conversation: create', parameters);
		return [...first, ...(await run('conversation: create', parameters))];
	},
	'conversation: end': async () =>
		await run('conversation: end', { conversationId: await startedConversation() }),
	'conversation: get': async () => {
		const id = await closedConversation();
		return await run('conversation: get', { conversationId: { __rl: true, mode: 'id', value: id } });
	},
	'conversation: getContext': async () => {
		const conversationId = await startedConversation();
		// The editor has one preview for both output formats, which is to be that of the default.
		return await run('conversation: getContext', { conversationId });
	},
	'conversation: getMany': async () => {
		await startedConversation();
		return await run('conversation: getMany', {});
	},
	'conversation: getTranscript': async () => {
		const conversationId = { __rl: true, mode: 'id', value: await closedConversation() };
		return await run('conversation: getTranscript', { conversationId, options: { downloadFiles: true } });
	},
	'conversation: sendOrStart': async () => {
		const parameters = { customerId: 'jdoe', text: 'Hello?', options: { skipAiAgent: true } };
		const first = await run('conversation: sendOrStart', parameters);
		const second = await run('conversation: sendOrStart', parameters);
		expect([...first, ...second].map(({ delivered }) => delivered)).toEqual(['startMessage', 'message']);
		return [...first, ...second];
	},
	'customEvent: send': async () =>
		await run('customEvent: send', { conversationId: await startedConversation(), eventName: 'Order' }),
	'message: downloadAttachments': async () => {
		const { value } = await startedConversation();
		emulator.desk.accept(value as string, {});
		const file = { name: 'a.txt', contentType: 'text/plain', data: Buffer.from('turn it off') };
		emulator.desk.reply(value as string, { files: [file] });
		await emulator.idle();
		const { attachments } = entries(emulator, 'delivery').at(-1)!.activity as { attachments: IDataObject[] };
		// Fields that are typically null may still have a value.
		const odd = { ...attachments[0], content: { alt: 'A note' }, thumbnailUrl: `${emulator.origin}/small` };
		return await run('message: downloadAttachments', {}, { attachments: [...attachments, odd] });
	},
	'message: getMany': async () => {
		const conversationId = await startedConversation();
		const attachment = [{ url: 'https://example.com/photo.jpg', contentType: 'image/jpeg' }];
		const options = { automated: true, senderName: 'John' };
		await run('message: send', { conversationId, text: 'It is loud', attachments: { attachment }, options });
		await run('message: send', { conversationId, text: 'Very loud' });
		const id = String(conversationId.value);
		emulator.desk.accept(id);
		const buttons = [
			{ type: 'imBack', title: 'Yes', value: 'yes' },
			{ type: 'openUrl', title: 'Help', value: 'https://example.com' },
		];
		const contentType = 'application/vnd.microsoft.card.hero';
		emulator.desk.reply(id, { card: { contentType, content: { title: 'Is it off?', buttons } } });
		const listed = await run('message: getMany', { conversationId });
		// What Bot Framework's activities may have, and the documentation of the list does not name.
		const event = {
			...{ type: 'event', name: 'AgentAccepted', messageId: '1', timestamp: '2026-11-29T12:30:00Z' },
			...{ id: 'a', textFormat: 'plain', replyToId: 'b', locale: 'en-US' },
		};
		const body = JSON.stringify({ messages: [event] });
		const action = { status: 200, body, contentType: 'application/json' };
		emulator.settings.faults = [{ match: { operationId: 'listMessages' }, action }];
		return [...listed, ...(await run('message: getMany', { conversationId }))];
	},
	'message: markAsRead': async () => {
		const conversationId = await startedConversation();
		const [sent] = await run('message: send', { conversationId, text: 'Hello?' });
		return await run('message: markAsRead', { conversationId, messageId: sent!.messageId });
	},
	'message: send': async () =>
		await run('message: send', { conversationId: await startedConversation(), text: 'Hello?' }),
	'message: sendTyping': async () =>
		await run('message: sendTyping', { conversationId: await startedConversation() }),
};
