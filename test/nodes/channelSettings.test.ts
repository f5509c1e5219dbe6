import type {
	IDataObject,
	ILoadOptionsFunctions,
	INodeListSearchResult,
	INodeProperties,
} from 'n8n-workflow';
import { DEFAULT_WORLD } from '../../emulator';
import { readSettings } from '../../nodes/Dynamics365Messaging/dataverse/channel';
import { Dynamics365Messaging } from '../../nodes/Dynamics365Messaging/Dynamics365Messaging.node';
import { credentialFor, entries } from '../support/emulator';
import { emulator, run as runOperation, useEmulator, usePackage } from '../support/operation';

usePackage();
useEmulator();

async function run(operation: string, parameters: IDataObject = {}) {
	const { items, error } = await runOperation(`channel: ${operation}`, parameters);
	return { items: items.map((item) => item.json), error };
}

const OTHER = '11111111-2222-4333-8444-555555555555';
const ANOTHER = '22222222-2222-4333-8444-555555555555';
const LAST = '33333333-2222-4333-8444-555555555555';
const [ENGLISH, GERMAN] = DEFAULT_WORLD.languages;
const [SURVEY, BOT_SURVEY] = DEFAULT_WORLD.surveys;
const located = (value: unknown, mode = 'list') => ({ __rl: true, mode, value }) as IDataObject;

const update = async (updateFields: IDataObject) =>
	await run('update', { channelId: DEFAULT_WORLD.channelId, updateFields });

/** A value of every field. */
const ALL: IDataObject = {
	translation: true,
	languageId: located(GERMAN!.id),
	surveyEnabled: true,
	surveyId: located(SURVEY!.id),
	surveyMode: 'link',
	surveyText: 'How was it? ',
	aiAgentSurveyEnabled: true,
	aiAgentSurveyId: located(`{${BOT_SURVEY!.id.toUpperCase()}}`, 'id'),
	aiAgentSurveyMode: 'inConversation',
	aiAgentSurveyText: 'x'.repeat(200),
};
const SETTINGS = {
	translation: true,
	language: GERMAN && { id: GERMAN.id, name: GERMAN.name },
	survey: { enabled: true, mode: 'link', text: 'How was it? ', ...SURVEY },
	aiAgentSurvey: { enabled: true, mode: 'inConversation', text: 'x'.repeat(200), ...BOT_SURVEY },
};

describe('a channel’s translation, language and surveys', () => {
	test('come with the record wherever it is written or read, by their names', async () => {
		const created = await run('create', { name: 'Kiosk', additionalFields: ALL });
		expect(created.items).toMatchObject([SETTINGS]);
		const channelId = created.items[0]!.channelId as string;
		expect((await run('get', { channelId })).items).toEqual(created.items);
		const { items } = await run('getMany', { returnAll: true });
		expect(items.find((item) => item.channelId === channelId)).toEqual(created.items[0]);
		expect((await update(ALL)).items).toMatchObject([SETTINGS]);
		const calls = entries(emulator, 'dataverse');
		expect(calls.filter(({ status }) => status >= 400)).toEqual([]);
		// An environment without Customer Voice would refuse a column that it does not have.
		expect(calls.filter(({ path }) => path.includes('$select') || path.includes('%24select'))).toEqual([]);
	});

	test('are changed one by one, and the others stay', async () => {
		await update(ALL);
		const { items } = await update({ surveyMode: 'inConversation' });
		expect(items).toMatchObject([{ ...SETTINGS, survey: { ...SETTINGS.survey, mode: 'inConversation' } }]);
		expect((await update({ translation: false, surveyEnabled: 'false' })).items).toMatchObject([
			{ translation: false, survey: { enabled: false, text: 'How was it? ', name: SURVEY!.name } },
		]);
		const sent = entries(emulator, 'dataverse').filter(({ method }) => method === 'PATCH');
		expect(sent.map(({ body }) => Object.keys(body as object).length)).toEqual([10, 1, 2]);
	});

	test('an ID is taken as an expression gives it, without a mode', async () => {
		const parameters = {
			channelId: DEFAULT_WORLD.channelId,
			updateFields: { languageId: ENGLISH!.id, surveyId: located('={{ $json.survey }}', 'id') },
		};
		const changed = await runOperation('channel: update', parameters, { items: [{ survey: SURVEY!.id }] });
		expect(changed.items.map(({ json }) => json)).toMatchObject([
			{ language: { name: ENGLISH!.name }, survey: { name: SURVEY!.name } },
		]);
		const none = await update({ surveyId: located("={{ '' + $json.survey }}", 'id') });
		expect(none.error?.message).toContain('Survey is “undefined”, which is no ID');
	});

	test.each(['', ' \n', null])(
		'surveys and texts given as %j are removed, and the rest stays',
		async (blank) => {
			await update(ALL);
			const given = Object.keys(ALL).map((name): [string, unknown] => [
				name,
				name.endsWith('Id') ? located(blank) : blank,
			]);
			const { items, error } = await update(Object.fromEntries(given) as IDataObject);
			expect(error).toBeUndefined();
			const removed = { text: null, id: null, name: null };
			expect(items).toMatchObject([
				{
					...SETTINGS,
					survey: { ...SETTINGS.survey, ...removed },
					aiAgentSurvey: { ...SETTINGS.aiAgentSurvey, ...removed },
				},
			]);
		},
	);

	test('what an expression does not find stays as it is, whatever the kind of field', async () => {
		await update(ALL);
		const missing = '={{ $json.missing }}';
		const parameters = {
			channelId: DEFAULT_WORLD.channelId,
			updateFields: { surveyId: located(missing, 'id'), surveyText: missing, translation: false },
		};
		const { items } = await runOperation('channel: update', parameters, { items: [{ other: 1 }] });
		expect(items.map(({ json }) => json)).toMatchObject([{ ...SETTINGS, translation: false }]);
	});

	test('nothing is left of an update of what stays when it is empty', async () => {
		const { error } = await update({ languageId: located(''), surveyMode: '', translation: null });
		expect(error).toMatchObject({ message: expect.stringContaining('nothing to update') });
		expect(emulator.log).toEqual([]);
	});

	test('a new channel has none of what is given as empty', async () => {
		const additionalFields = { languageId: located(''), surveyId: located(null), surveyText: ' ' };
		const { items } = await run('create', { name: 'x', additionalFields });
		expect(items).toMatchObject([
			{ language: { id: null, name: null }, survey: { id: null, name: null, text: null } },
		]);
	});

	test.each<[string, IDataObject, string]>([
		['a text of a survey', { surveyText: 'x'.repeat(201) }, 'Survey Text is longer than 200 characters'],
		[
			'a text after AI agents',
			{ aiAgentSurveyText: 'x'.repeat(201) },
			'AI Agent Survey Text is longer than 200 characters',
		],
		['a mode', { surveyMode: 'mail' }, 'Survey Mode is unknown'],
		['a mode by its number', { aiAgentSurveyMode: 192350001 }, 'AI Agent Survey Mode is unknown'],
		['a mode of another kind', { surveyMode: 'toString' }, 'Survey Mode is unknown'],
		['a language by its name', { languageId: located('German', 'id') }, 'Language is not a GUID'],
		['a survey by its name', { surveyId: 'How did we do?' }, 'Survey is not a GUID'],
		['a survey after AI agents', { aiAgentSurveyId: located('1') }, 'AI Agent Survey is not a GUID'],
		['a switch', { surveyEnabled: 'maybe' }, 'Survey Enabled must be true or false'],
		['another switch', { translation: 'maybe' }, 'Translation must be true or false'],
	])('%s that cannot be is refused by the field’s name, and nothing is sent', async (_, fields, message) => {
		for (const answer of [
			await update(fields),
			await run('create', { name: 'x', additionalFields: fields }),
		]) {
			expect(answer.error?.message).toContain(message);
		}
		expect(emulator.log).toEqual([]);
	});

	test.each(['languageId', 'surveyId', 'aiAgentSurveyId'])('%s that is not there is told', async (name) => {
		const { error } = await update({ [name]: located(OTHER) });
		expect(error).toMatchObject({
			message: 'Dataverse has no such record',
			description: expect.stringContaining('that the channel refers to'),
			context: { outcome: 'notSent' },
		});
	});

	test('fields say their limits, and what they mean when they are empty', () => {
		const { properties } = new Dynamics365Messaging().description;
		const fieldOf = (collection: string, field: string) => {
			const { options = [] } = properties.find(({ name }) => name === collection)!;
			return (options as INodeProperties[]).find(({ name }) => name === field)!.description;
		};
		expect(fieldOf('additionalFields', 'surveyText')).toMatch(/At most 200 characters\.$/);
		expect(fieldOf('updateFields', 'surveyText')).toMatch(
			/At most 200 characters\. Leave it empty to remove it/,
		);
		expect(fieldOf('updateFields', 'aiAgentSurveyId')).toContain('Leave it empty to remove it');
		expect(fieldOf('updateFields', 'languageId')).toContain('Leave it empty to keep it as it is.');
	});
});

describe('what comes in', () => {
	const row = { msdyn_occustommessagingchannelid: OTHER.toUpperCase() };
	const none = { enabled: false, mode: null, text: null, id: null, name: null };

	test('of an environment without surveys and languages is off, or null', () => {
		expect(readSettings(row)).toMatchObject({
			channelId: OTHER,
			translation: false,
			language: { id: null, name: null },
			survey: none,
			aiAgentSurvey: none,
		});
	});

	test.each([
		[192350000, 'inConversation'],
		[192350001, 'link'],
		[192350002, '192350002'],
		[null, null],
	])('the mode %j is %j', (number, mode) => {
		expect(
			readSettings({
				...row,
				msdyn_postconversationsurveymode: number,
				msdyn_postconversationsurveybotsurveymode: number,
			}),
		).toMatchObject({ survey: { mode }, aiAgentSurvey: { mode } });
	});

	test('without names has the IDs all the same', () => {
		expect(readSettings({ ...row, _msdyn_ocwidgetlanguage_value: OTHER.toUpperCase() })).toMatchObject({
			language: { id: OTHER, name: null },
		});
	});
});

describe('the editor', () => {
	const search = async (
		method: 'searchChannels' | 'searchLanguages' | 'searchSurveys' | 'searchWorkstreams',
		filter?: string,
		token?: INodeListSearchResult['paginationToken'],
	): Promise<INodeListSearchResult> => {
		const editor = {
			getCredentials: async () => await Promise.resolve({ ...credentialFor(emulator), channelId: '' }),
			getNode: () => ({}),
		} as unknown as ILoadOptionsFunctions;
		return await new Dynamics365Messaging().methods.listSearch[method].call(editor, filter, token);
	};
	const choices = (list: { id: string; name: string }[]) => list.map(({ id, name }) => ({ name, value: id }));

	test('lists languages and surveys by name, and finds one by a part of it', async () => {
		expect((await search('searchLanguages')).results).toEqual(choices(DEFAULT_WORLD.languages));
		expect((await search('searchLanguages', ' gerMAN ')).results).toEqual(choices([GERMAN!]));
		expect((await search('searchSurveys', 'ai agent')).results).toEqual(choices([BOT_SURVEY!]));
		expect((await search('searchSurveys', 'nothing')).results).toEqual([]);
	});

	test('lists channels and workstreams, also while the credential has no Channel ID', async () => {
		const { channelId, channelName, workstreamId, workstreamName } = DEFAULT_WORLD;
		const [channel, workstream] = [
			{ id: channelId, name: channelName },
			{ id: workstreamId, name: workstreamName },
		];
		expect((await search('searchChannels')).results).toEqual(choices([channel]));
		expect((await search('searchChannels', channelName.slice(1, 4))).results).toEqual(choices([channel]));
		expect((await search('searchChannels', channelId.toUpperCase())).results).toEqual(choices([channel]));
		expect((await search('searchWorkstreams')).results).toEqual(choices([workstream]));
		expect((await search('searchChannels', 'nothing')).results).toEqual([]);
	});

	test('tells records of the same name apart, and offers none without an ID', async () => {
		const rows = [OTHER, ANOTHER, null].map((id) => ({ msdyn_liveworkstreamid: id, msdyn_name: 'Chat' }));
		const value = [...rows, { msdyn_liveworkstreamid: LAST, msdyn_name: 'Calls' }];
		const action = { status: 200, body: JSON.stringify({ value }), contentType: 'application/json' };
		emulator.settings.faults = [{ match: { operationId: 'dataverse.listWorkstreams' }, action }];
		expect((await search('searchWorkstreams')).results).toEqual([
			{ name: `Chat · ${OTHER}`, value: OTHER },
			{ name: `Chat · ${ANOTHER}`, value: ANOTHER },
			{ name: 'Calls', value: LAST },
		]);
	});

	test('reads on from page to page', async () => {
		emulator.settings.dataverse.maxPageSize = 1;
		const first = await search('searchSurveys');
		expect(first.results).toEqual(choices([BOT_SURVEY!]));
		const second = await search('searchSurveys', undefined, first.paginationToken);
		expect(second.results).toEqual(choices([SURVEY!]));
		expect((await search('searchSurveys', 'we do')).results).toEqual(choices([SURVEY!]));
	});

	test('is told why there are no surveys, and that a role is missing', async () => {
		emulator.settings.dataverse.role = 'none';
		await expect(search('searchLanguages')).rejects.toThrow('no role');
		const action = { status: 404, code: 0x8006088a };
		emulator.settings.faults = [{ action }];
		await expect(search('searchSurveys')).rejects.toThrow('Customer Voice is not installed');
		await expect(search('searchLanguages')).rejects.toThrow('does not know what was asked for');
	});
});
