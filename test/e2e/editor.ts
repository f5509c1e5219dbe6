// What a newcomer does in n8n's editor, in a real browser: finds the nodes, makes credentials, sends, listens, imports the
// templates. The pictures of the documentation are taken on the way.
import { createServer } from 'node:http';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { selectors, type Browser, type Locator, type Page } from 'playwright-core';
import { owner } from '../../tools/n8n/n8n';
import { withN8n, type N8nWithEmulator } from '../../tools/n8n/withN8n';
import { report, runMain } from '../../tools/report';
import { waitFor } from '../../tools/wait';
import { listen } from '../../tools/ports';
import { sendNode, workflowOf } from '../../tools/n8n/echoWorkflow';
import { triggerWorkflow } from '../../tools/n8n/workflows';
import { isShown, openBrowser } from './browser';
import { MovingPicture } from './movingPicture';

const IMAGES = join(__dirname, '../../docs/images');
const VIEWPORT = { width: 1280, height: 800 };
const TEMPLATES = join(__dirname, '../../templates');

selectors.setTestIdAttribute('data-test-id');

/** The editor as a person uses it. */
class Editor {
	constructor(
		readonly page: Page,
		private readonly url: string,
	) {}

	id(testId: string): Locator {
		return this.page.getByTestId(testId);
	}

	async signIn(): Promise<void> {
		await this.page.goto(`${this.url}/signin`);
		await this.page.fill('input[name=emailOrLdapLoginId]', owner.email);
		await this.page.fill('input[name=password]', owner.password);
		await this.id('form-submit-button').click();
		await this.id('project-name').waitFor();
	}

	/** Takes a picture for the documentation. */
	async picture(name: string): Promise<void> {
		await this.page.evaluate('document.fonts.ready.then(() => true)');
		await this.page.screenshot({ path: join(IMAGES, `${name}.png`), animations: 'disabled' });
	}

	async newWorkflow(): Promise<void> {
		await this.page.goto(`${this.url}/workflow/new`);
		await this.id('canvas-add-button').waitFor();
	}

	/** Opens the list of nodes and types; whether a node is found. */
	async search(words: string, node: string): Promise<boolean> {
		const add = (await this.id('canvas-add-button').isVisible())
			? 'canvas-add-button'
			: 'node-creator-plus-button';
		await this.id(add).click();
		await this.id('node-creator-search-bar').fill(words);
		return await isShown(this.id('node-creator-item-name').filter({ hasText: node }));
	}

	/** Opens what was found, and one of its two lists. */
	async choose(node: string, list: 'Actions' | 'Triggers', action: string): Promise<void> {
		await this.id('node-creator-item-name').filter({ hasText: node }).first().click();
		const wanted = this.id('item-iterator-item').filter({ hasText: action }).first();
		const category = this.id('node-creator-category-item').filter({ hasText: list });
		await category.or(wanted).first().waitFor();
		if (!(await wanted.isVisible())) await category.click();
		await wanted.click();
		await this.id('ndv').waitFor();
	}

	/** Types into a field of the credential or node that is open. */
	async fill(field: string, value: string): Promise<void> {
		await this.id(`parameter-input-${field}`).locator('input, textarea').first().fill(value);
	}

	async pick(field: string, option: string): Promise<void> {
		await this.id(`parameter-input-${field}`).first().click();
		await this.page
			.getByRole('option', { name: option })
			.or(this.page.locator('li:visible', { hasText: option }))
			.first()
			.click();
	}

	async newCredential(type: string): Promise<void> {
		await this.page.goto(`${this.url}/home/credentials`);
		await this.id('add-resource-credential').click();
		await this.id('new-credential-type-select').click();
		await this.page.keyboard.type(type);
		await this.id('new-credential-type-select-option')
			.filter({ hasText: type, visible: true })
			.first()
			.click();
		await this.id('new-credential-type-button').click();
		await this.id('credential-edit-dialog').waitFor();
	}

	/** Saves the credential, which tests it. @returns whether the expected message is shown */
	async saveCredential(expected: RegExp): Promise<boolean> {
		await this.id('credential-save-button').click();
		const told = this.id('credential-edit-dialog').getByText(expected);
		const more = this.page.getByText('More details');
		await isShown(told.or(more));
		if (await more.isVisible()) await more.click();
		return await isShown(told);
	}
}

const SUCCESS = /Connection tested successfully/;

async function credentials(editor: Editor, { emulator }: N8nWithEmulator): Promise<Record<string, boolean>> {
	const { world, origin } = emulator;
	const checks: Record<string, boolean> = {};
	await editor.newCredential('Dynamics 365 Messaging API');
	for (const field of ['tenantId', 'clientId', 'organizationId', 'channelId'] as const) {
		await editor.fill(field, world[field]);
	}
	await editor.fill('clientSecret', 'not the secret');
	for (const field of ['environmentUrl', 'baseUrl', 'authorityHost']) await editor.fill(field, origin);
	await editor.pick('geo', world.geoName);
	checks['a wrong secret fails with what to do'] = await editor.saveCredential(
		/The client secret is wrong.*not its ID/,
	);
	await editor.picture('credential-wrong-secret');
	await editor.fill('clientSecret', world.clientSecret);
	checks['the credential’s Test succeeds'] = await editor.saveCredential(SUCCESS);
	await editor.picture('credential-test');

	await editor.newCredential('Azure Communication Services API');
	await editor.pick('authentication', 'Access Key');
	await editor.fill('secretAccessKey', `endpoint=${origin}/;accesskey=${world.communicationAccessKey}`);
	await editor.fill('channelId', world.communicationChannelId);
	checks['so does that of Azure Communication Services'] = await editor.saveCredential(SUCCESS);
	return checks;
}

const WORDS = ['Dynamics', 'Omnichannel', 'Customer Service', 'Messaging API', 'Contact Center'];

async function finding(editor: Editor): Promise<Record<string, boolean>> {
	const checks: Record<string, boolean> = {};
	for (const words of WORDS) {
		await editor.newWorkflow();
		checks[`${words} finds the nodes`] = await editor.search(words, 'Dynamics 365 Messaging');
	}
	await editor.picture('search');
	for (const words of ['Azure Communication', 'WhatsApp']) {
		await editor.newWorkflow();
		await editor.search('manually', 'Trigger manually');
		await editor.id('node-creator-item-name').first().click();
		await editor.id('canvas-node').first().waitFor();
		const name = 'Azure Communication Conversations';
		checks[`${words} finds the node`] = await editor.search(words, name);
	}
	return checks;
}

async function sending(editor: Editor, { emulator }: N8nWithEmulator): Promise<Record<string, boolean>> {
	const checks: Record<string, boolean> = {};
	await editor.newWorkflow();
	await editor.search('Dynamics', 'Dynamics 365 Messaging');
	await editor.choose('Dynamics 365 Messaging', 'Actions', 'Send message or start conversation');
	await editor.fill('customerId', 'kim');
	await editor.fill('text', 'My heat pump is loud. Can you help?');
	await editor.id('node-execute-button').click();
	await waitFor('the conversation at the desk', 30_000, async () => emulator.desk.list().length === 1);
	const [conversation] = emulator.desk.list();
	await editor.id('output-panel').getByText(conversation!.id).first().waitFor();
	await editor.picture('send-or-start');
	checks['a message is sent, and seen at the desk'] = conversation!.lines.some(
		({ text }) => text?.includes('heat pump') === true,
	);

	await editor.newWorkflow();
	await editor.search('Dynamics', 'Dynamics 365 Messaging');
	await editor.choose('Dynamics 365 Messaging', 'Actions', 'Send a message as the customer');
	await editor.id('rlc-mode-selector').click();
	await editor.page.getByText('From list', { exact: false }).last().click();
	await editor.id('rlc-input').click();
	const choice = editor.id('rlc-item').filter({ hasText: /\d\d:\d\d · waiting/ });
	await choice.waitFor();
	await editor.picture('conversation-list');
	await choice.click();
	await editor.fill('text', 'It is louder at night.');
	await editor.id('node-execute-button').click();
	checks['into a conversation chosen from the list'] = await waitFor('the second message', 30_000, async () =>
		emulator.desk.list()[0]!.lines.some(({ text }) => text === 'It is louder at night.'),
	).then(() => true);
	return checks;
}

/** A WhatsApp template: chosen from the list, with its own placeholders as fields. */
async function sendingTemplate(
	editor: Editor,
	{ emulator }: N8nWithEmulator,
): Promise<Record<string, boolean>> {
	const checks: Record<string, boolean> = {};
	await editor.newWorkflow();
	await editor.search('Azure Communication', 'Azure Communication Conversations');
	await editor.choose('Azure Communication Conversations', 'Actions', 'Send a message as the business');
	const locator = (name: string) => editor.id(`resource-locator-${name}`);
	await locator('conversationId').getByTestId('rlc-input').fill(emulator.world.communicationConversationId);
	await editor.pick('kind', 'Template');
	await locator('template').getByTestId('rlc-input').click();
	const choices = editor.id('rlc-item');
	await choices.filter({ hasText: 'appointment_reminder | en_US' }).first().waitFor();
	checks['only approved templates are in the list'] =
		(await choices.filter({ hasText: 'summer_sale' }).count()) === 0;
	await choices.filter({ hasText: 'purchase_feedback | en' }).first().click();
	const placeholders = editor.id('resource-mapper-container');
	const input = (id: string) =>
		placeholders.getByTestId(`parameter-input-${id}`).locator('input, textarea').first();
	await input('body_1').waitFor();
	checks['the payload of a button is its text by default'] =
		(await input('button1Payload').inputValue()) === 'Very much';
	await input('headerImage').fill('https://example.com/heat-pump.jpg');
	await input('body_1').fill('Anna');
	await input('body_2').fill('heat pump');
	await editor.id('node-execute-button').click();
	const refusal = editor.page.getByText('button3UrlEnd');
	checks['an empty placeholder is asked for by its name'] = await isShown(refusal);
	await input('button3UrlEnd').fill('heat-pump');
	await editor.id('node-execute-button').click();
	checks['the item shows what the customer reads'] = await isShown(
		editor.id('output-panel').getByText('Hello Anna, how do you like your heat pump?'),
	);
	await editor.page.setViewportSize({ width: 1280, height: 1500 });
	await editor.picture('azure-template');
	await editor.page.setViewportSize(VIEWPORT);
	return checks;
}

async function listening(editor: Editor, { emulator }: N8nWithEmulator): Promise<Record<string, boolean>> {
	const { page } = editor;
	const checks: Record<string, boolean> = {};
	await editor.newWorkflow();
	await editor.search('Dynamics', 'Dynamics 365 Messaging');
	await editor.choose('Dynamics 365 Messaging', 'Triggers', 'On message');
	await page.getByText('Webhook URLs', { exact: true }).click();
	const shown = page.locator('.webhook-url');
	const testUrl = (await shown.first().innerText()).trim();
	await editor.id('radio-button-production').click();
	const production = await waitFor('the production URL', 20_000, async () => {
		const text = (await shown.first().innerText()).trim();
		return /\/webhook\/[0-9a-f-]{36}\/[0-9a-f-]{36}$/.test(text) && text;
	});
	await shown.first().click();
	checks['the production URL is shown, and a click copies it'] = await waitFor(
		'the URL in the clipboard',
		20_000,
		async () => (await page.evaluate('navigator.clipboard.readText()')) === production,
	);
	await editor.picture('trigger-url');

	// Register Webhook is on: the channel has the test URL while n8n listens, and nothing again afterwards.
	const registered = async (url: string | null) =>
		await waitFor(`the channel to have ${url ?? 'no URL'}`, 30_000, () => emulator.webhookUrl() === url);
	emulator.setWebhookUrl(null);
	await editor.id('trigger-execute-button').click();
	await editor.id('trigger-listening').waitFor();
	checks['the test URL is registered while n8n listens'] = await registered(testUrl);
	// Another n8n asks it so, and the editor has to go on listening.
	const asked = await fetch(testUrl);
	checks['the test URL says that a trigger is there'] = asked.headers.has('x-dynamics365-messaging-trigger');
	const [conversation] = emulator.desk.list();
	emulator.desk.accept(conversation!.id, { agentName: 'Ana Lopes' });
	emulator.desk.reply(conversation!.id, { text: 'Hello Kim, **this is Ana**.' });
	await editor.id('output-panel').getByText('Hello Kim, this is Ana.').first().waitFor();
	checks['a representative writes, and the test event is there'] = true;
	checks['then the channel has what stood there before'] = await registered(null);
	await editor.id('trigger-execute-button').click();
	await registered(testUrl);
	await editor.id('trigger-execute-button').click();
	checks['also when the test is stopped'] = await registered(null);
	await editor.picture('test-event');
	return checks;
}

/** A channel has one webhook URL: the second workflow that asks for it is refused, and a person reads why. */
async function publishing(editor: Editor, setup: N8nWithEmulator): Promise<Record<string, boolean>> {
	const { credentialId, emulator, n8n } = setup;
	const { page } = editor;
	emulator.setWebhookUrl(null);
	const [first, second] = ['First trigger', 'Second trigger'].map((name) =>
		triggerWorkflow(name, credentialId, { registerWebhook: true }),
	);
	await setup.publish('first-trigger', first!.workflow);
	const firstUrl = `${n8n.url}/webhook/${first!.path}`;
	await n8n.rest('POST', '/workflows', { ...second!.workflow, id: 'second-trigger', active: false });
	await page.goto(`${n8n.url}/workflow/second-trigger`);
	const before = emulator.log.length;
	await editor.id('workflow-open-publish-modal-button').click();
	await editor.id('workflow-publish-button').click();
	const isTold = await isShown(page.getByText(firstUrl));
	const looks = emulator.log
		.slice(before)
		.filter((entry) => entry.kind === 'dataverse' && entry.operationId === 'dataverse.getChannel');
	const isUntouched = emulator.webhookUrl() === firstUrl;
	await n8n.rest('POST', '/workflows/first-trigger/deactivate', {});
	return {
		'a second trigger of a channel is refused, by the URL of the first': isTold,
		'n8n does not try again before it says so': looks.length === 1,
		'and the channel keeps the URL of the first': isUntouched,
	};
}

async function checkingSetup(editor: Editor): Promise<Record<string, boolean>> {
	await editor.newWorkflow();
	await editor.search('Dynamics', 'Dynamics 365 Messaging');
	await editor.choose('Dynamics 365 Messaging', 'Actions', 'Check the setup of a channel');
	await editor.id('node-execute-button').click();
	await editor.id('output-panel').getByText('checks failed').first().waitFor();
	await editor.picture('check-setup');
	const columns = await editor.id('output-panel').locator('th').allInnerTexts();
	const [title, fix] = columns.map((column) => column.trim()).filter(Boolean);
	return {
		'Check Setup says in one row how many checks failed': true,
		'the title of a check stands first, then how to fix it': title === 'title' && fix === 'fix',
	};
}

/** Imports each template as a person does, and takes its picture. */
async function templates(editor: Editor): Promise<Record<string, boolean>> {
	const checks: Record<string, boolean> = {};
	for (const file of readdirSync(TEMPLATES).filter((name) => name.endsWith('.json'))) {
		await editor.newWorkflow();
		await editor.id('workflow-menu').click();
		await editor.id('workflow-menu-item-import').hover();
		await editor.id('workflow-import-input').setInputFiles(join(TEMPLATES, file));
		const nodes = editor.page.locator('[data-test-id=canvas-node]');
		await nodes.first().waitFor();
		await editor.page.keyboard.press('Escape');
		await editor.id('zoom-to-fit').click();
		await editor.page.waitForFunction('document.querySelectorAll("[data-test-id=canvas-node]").length > 1');
		const unknown = await editor.page.getByText('Install this node to use it').count();
		checks[`${file} is imported`] = (await nodes.count()) > 1 && unknown === 0;
		await editor.picture(`template-${file.replace('.json', '')}`);
	}
	return checks;
}

async function desk({ emulator }: N8nWithEmulator, page: Page): Promise<Record<string, boolean>> {
	const webhook = createServer((_, response) => response.end('{}'));
	const port = await listen(webhook);
	emulator.setWebhookUrl(`http://127.0.0.1:${port}/webhook`);
	const { id, state } = emulator.desk.list()[0]!;
	// The trigger's test has accepted it, where that was played.
	if (state === 'waiting') emulator.desk.accept(id, { agentName: 'Ana Lopes' });
	emulator.desk.reply(id, { text: 'Hello Kim, this is Ana. Please set the fan to level 3.' });
	await emulator.idle();
	await page.goto(emulator.deskOrigin);
	await page.getByText('Hello Kim, this is Ana.').first().click();
	const said = page.locator('#lines').getByText('It is louder at night.');
	await said.waitFor();
	webhook.close();
	return { 'the agent desk shows the conversation': await said.isVisible() };
}

/** Of the moving picture; a page of a readme shows it 830 pixels wide or so. */
const SCALE = 1.5;
const HEIGHT = 700;
const LONGEST_MS = 16_000;
const LARGEST_BYTES = 2_000_000;

/** One conversation, with n8n and the desk side by side: a customer writes, a representative answers, and a workflow goes on. */
async function conversation(
	{ credentialId, emulator, n8n }: N8nWithEmulator,
	browser: Browser,
	signedIn: Page,
): Promise<Record<string, boolean>> {
	const send = sendNode(credentialId, '=Thank you, {{ $json.from.name }}! Level 3 is much quieter.');
	const { workflow } = workflowOf('Kim’s app', credentialId, { events: ['message'], registerWebhook: true }, [
		send,
	]);
	await n8n.rest('POST', '/workflows', { ...workflow, id: 'conversation', active: false });
	emulator.setWebhookUrl(null);
	const storageState = await signedIn.context().storageState();
	const open = async (width: number, state?: typeof storageState) => {
		const viewport = { width, height: HEIGHT };
		const context = await browser.newContext({ viewport, deviceScaleFactor: SCALE, storageState: state });
		const page = await context.newPage();
		page.setDefaultTimeout(60_000);
		return page;
	};
	const [left, desk] = [await open(600, storageState), await open(440)];
	const editor = new Editor(left, n8n.url);
	await left.goto(`${n8n.url}/workflow/conversation`);
	await editor.id('canvas-node').nth(1).waitFor();
	await editor.id('zoom-to-fit').click();
	await editor.id('execute-workflow-button').first().click();
	await waitFor('n8n to listen', 60_000, () => emulator.webhookUrl() !== null);
	await desk.goto(emulator.deskOrigin);
	await desk.getByText('live', { exact: true }).waitFor();
	await desk.getByRole('button', { name: 'customer' }).locator('visible=true').first().click();

	const picture = await MovingPicture.start([
		{ page: left, caption: 'n8n: your workflow' },
		{ page: desk, caption: 'Dynamics 365: customer and representative' },
	]);
	const lines = desk.locator('#lines');
	const write = async (words: string) => {
		await picture.type(desk, words);
		await desk.keyboard.press('Enter');
		await lines.getByText(words.replaceAll('**', '')).waitFor();
	};
	await desk.locator('#customer-text').click();
	await picture.show(900);
	await write('My heat pump is loud. Can you help?');
	await picture.show(900);
	await desk.getByRole('button', { name: 'Accept' }).click();
	await lines.getByText('AgentAccepted').waitFor();
	await picture.show(900);
	await picture.type(desk, 'Hello! Please set the fan to **level 3**.');
	await desk.keyboard.press('Enter');
	await lines.getByText('Please set the fan').waitFor();
	await picture.show(700);
	await editor.id('canvas-node-status-success').nth(1).waitFor();
	await lines.getByText('Level 3 is much quieter').waitFor();
	await picture.show(4_000);
	const { ms, size } = await picture.save(join(IMAGES, 'demo.webp'));
	console.log(`  demo.webp: ${Math.round(size / 1000)} kB, ${ms / 1000} s`);
	await Promise.all([left.context().close(), desk.context().close()]);
	return {
		'the workflow answers the representative at the desk': true,
		'the moving picture is short and small': ms <= LONGEST_MS && size < LARGEST_BYTES,
	};
}

runMain(
	async () =>
		await withN8n(async (setup) => {
			mkdirSync(IMAGES, { recursive: true });
			const browser = await openBrowser();
			try {
				const context = await browser.newContext({
					viewport: VIEWPORT,
					permissions: ['clipboard-read', 'clipboard-write'],
				});
				const page = await context.newPage();
				page.setDefaultTimeout(30_000);
				const editor = new Editor(page, setup.n8n.url);
				await editor.signIn();
				const checks: Record<string, boolean> = {};
				const parts = {
					finding: () => finding(editor),
					credentials: () => credentials(editor, setup),
					sending: () => sending(editor, setup),
					'sending a template': () => sendingTemplate(editor, setup),
					listening: () => listening(editor, setup),
					publishing: () => publishing(editor, setup),
					'checking the setup': () => checkingSetup(editor),
					templates: () => templates(editor),
					desk: () => desk(setup, page),
					conversation: () => conversation(setup, browser, page),
				};
				// E2E_EDITOR=desk,conversation plays these alone.
				const wanted = process.env.E2E_EDITOR?.split(',');
				for (const [name, check] of Object.entries(parts)) {
					if (wanted && !wanted.includes(name)) continue;
					try {
						Object.assign(checks, await check());
					} catch (error) {
						console.error(`${name}: ${String(error).slice(0, 600)}`);
						await page.screenshot({ path: join(process.env.E2E_FAILURES ?? '/tmp', `editor-${name}.png`) });
						checks[name] = false;
					}
				}
				return report('editor', checks);
			} finally {
				await browser.close();
			}
		}),
);
