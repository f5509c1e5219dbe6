// What a person does at the agent desk, in a real browser: writes as the customer in both ways, reads Markdown, learns from
// deliveries that fail, and finds what to type into credentials. A stub answers as n8n does.
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { startEmulator, type Emulator } from '../../emulator';
import { closedPort } from '../../tools/ports';
import { report, runMain } from '../../tools/report';
import { waitFor } from '../../tools/wait';
import { isShown, openBrowser } from './browser';
import { startHttpStub, type StubAnswer } from './templates/httpStub';

type Checks = Record<string, boolean>;

/** Takes a picture to look at, where DESK_PICTURES names a folder for them. */
async function picture(page: Page, name: string): Promise<void> {
	const folder = process.env.DESK_PICTURES;
	if (folder) await page.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled' });
}

/** What n8n says where no workflow listens. Source: docs/service-facts.md#n8n-unknown-webhooks. */
const UNKNOWN_WEBHOOK = {
	status: 404,
	body: {
		code: 404,
		message: 'The requested webhook "POST customer" is not registered.',
		hint: 'The workflow must be active for a production URL to run successfully.',
	},
};

/** The desk as a person uses it. */
class DeskPage {
	constructor(
		readonly page: Page,
		readonly emulator: Emulator,
	) {}

	id(name: string): Locator {
		return this.page.locator(`#${name}`);
	}

	async open(): Promise<void> {
		await this.page.goto(this.emulator.deskOrigin);
		await this.page.getByText('live', { exact: true }).waitFor();
	}

	/** Writes as a customer who has not written before. */
	async writeAsNewCustomer(name: string, words: string): Promise<void> {
		const button = this.page.getByRole('button', { name: 'customer' });
		await button
			.and(this.page.locator('#new-customer, #new-customer-too'))
			.locator('visible=true')
			.last()
			.click();
		await this.id('newcomer-name').fill(name);
		await this.write(words);
	}

	/** Writes as the customer of the conversation that is shown. */
	async write(words: string): Promise<void> {
		await this.id('customer-text').fill(words);
		await this.id('customer-text').press('Enter');
	}

	async sendThrough(url: string): Promise<void> {
		await this.id('customer-way').selectOption('webhook');
		await this.id('customer-url').fill(url);
	}

	said(words: string): Locator {
		return this.id('lines').getByText(words);
	}
}

async function directly(desk: DeskPage): Promise<Checks> {
	const { emulator, page } = desk;
	await desk.open();
	await picture(page, 'empty');
	await page.getByRole('button', { name: 'Write as a new customer' }).click();
	await picture(page, 'new-customer');
	const checks: Checks = {
		'a new customer has a name and an ID': (await desk.id('newcomer-id').inputValue()) === 'kim-berger',
	};
	await desk.write('My heat pump is **loud**.');
	checks['a first message opens a conversation'] = await isShown(desk.said('My heat pump is'));
	await desk.write('It is louder at night.');
	checks['the next one goes on in it'] = await isShown(desk.said('It is louder at night.'));
	await page.getByRole('button', { name: 'Accept' }).click();
	checks['whoever accepts writes as the representative'] = await isShown(desk.id('text'));
	await desk.id('text').fill('Hello Kim, set the fan to level 3.');
	await desk.id('text').press('Enter');
	await desk.said('Hello Kim').waitFor();
	await picture(page, 'conversation');
	await desk.id('as-customer').click();
	await picture(page, 'as-customer');
	await desk.id('customer-leave').click();
	const [conversation] = emulator.desk.list();
	checks['the customer leaves'] = await waitFor('the end', 10_000, () => conversation?.state === 'closed');
	await desk.write('One more thing.');
	checks['and opens another one with the next message'] = await waitFor(
		'a second conversation',
		10_000,
		() => emulator.desk.list().length === 2 && emulator.desk.list()[1]?.customerId === 'kim-berger',
	);
	checks['which is shown'] = await isShown(desk.said('One more thing.'));
	const calls = emulator.log.flatMap((entry) => (entry.kind === 'request' ? [entry.operationId] : []));
	checks['by the calls of a channel'] =
		calls.join() === 'createConversation,sendActivity,sendActivity,createConversation';
	return checks;
}

async function throughAWebhook(desk: DeskPage): Promise<Checks> {
	const { emulator, page } = desk;
	let answer: StubAnswer = { body: { message: 'Workflow was started' } };
	const stub = await startHttpStub(() => answer);
	const url = `${stub.url}/webhook/customer`;
	const checks: Checks = {};
	await desk.writeAsNewCustomer('Sam Okafor', '');
	await desk.sendThrough(url);
	await desk.write('Is anybody there?');
	checks['it posts what a customer’s app posts'] = await waitFor('the post', 10_000, () => {
		const body = stub.requests[0]?.body;
		return (
			body &&
			body.customerId === 'sam-okafor' &&
			body.name === 'Sam Okafor' &&
			body.text === 'Is anybody there?'
		);
	});
	checks['with an ID and a time'] = ['messageId', 'sentAt'].every(
		(key) => key in (stub.requests[0]?.body ?? {}),
	);
	checks['and says that it was taken'] = await isShown(page.getByText('The workflow took it.'));

	await page.reload();
	await page.getByRole('button', { name: 'New customer' }).click();
	checks['the URL is remembered'] = (await desk.id('customer-url').inputValue()) === url;
	await page.getByText('The webhook asks for a header').click();
	await desk.id('customer-header-name').fill('X-Channel-Secret');
	await desk.id('customer-header-value').fill('a secret');
	await desk.write('With a header.');
	checks['a header goes along'] = await waitFor(
		'the header',
		10_000,
		() => stub.requests.at(-1)?.headers['x-channel-secret'] === 'a secret',
	);
	await picture(page, 'webhook');

	const failure = async (words: RegExp) => {
		await desk.write('Hello?');
		const isTold = await isShown(desk.id('customer-error').getByText(words));
		return isTold && (await desk.id('customer-text').inputValue()) === 'Hello?';
	};
	answer = UNKNOWN_WEBHOOK;
	checks['404: no workflow is listening'] = await failure(/No workflow is listening at this URL.*Publish/);
	await picture(page, 'webhook-404');
	answer = { status: 403, body: Buffer.from('Authorization data is wrong!') };
	checks['403: it asks for authentication'] = await failure(/asks for authentication/);
	answer = { status: 400, body: { error: 'There is nothing to say' } };
	checks['400: what the workflow says'] = await failure(/refused it \(400\).*“There is nothing to say”/);
	answer = { status: 200, body: Buffer.from('n8n is starting up. Please wait') };
	checks['200 while n8n starts: it took nothing'] = await failure(/n8n is starting/);
	await desk.id('customer-url').fill(`http://127.0.0.1:${await closedPort()}/webhook/x`);
	checks['nothing listens'] = await failure(/Nothing listens at this URL/);
	await desk.id('customer-url').fill('ftp://127.0.0.1/x');
	checks['no other protocol'] = await failure(/begins with http/);
	await stub.close();

	await page.evaluate('localStorage.clear()');
	emulator.hints.customerWebhookUrl = 'http://127.0.0.1:5678/webhook/customer-message';
	await page.reload();
	await page.getByRole('button', { name: 'New customer' }).click();
	checks['the demo’s own webhook is offered'] = await waitFor(
		'the demo’s webhook',
		10_000,
		async () => (await desk.id('customer-url').inputValue()) === emulator.hints.customerWebhookUrl,
	);
	emulator.hints.customerWebhookUrl = null;
	await page.evaluate('localStorage.clear()');
	return checks;
}

const MARKDOWN = [
	'# Fan noise',
	'Set the fan to **level 3**, *not* ~~5~~ & see <https://example.com/fan>:',
	'',
	'1. open `Settings`',
	'2. choose **Fan**',
	'   - or *Night*',
	'',
	'> quiet at night',
	'',
	'|Level|dB|',
	'|-|-|',
	'|3|40|',
].join('\n');

const HOSTILE = [
	'<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>',
	'[click](javascript:window.pwned=1) [click](data:text/html,x) ![x](javascript:window.pwned=1) [up](../x)',
	'<svg onload=window.pwned=1>',
	'A &lt;b&gt; and &amp;amp;',
].join('\n\n');

async function markdown(desk: DeskPage): Promise<Checks> {
	const { emulator, page } = desk;
	const id = emulator.desk.list().at(-1)?.id ?? '';
	emulator.desk.accept(id, { agentName: 'Ada Meyer' });
	emulator.desk.reply(id, { text: MARKDOWN });
	emulator.desk.reply(id, { text: '**as** _it_ stands', isPlain: true });
	await desk.open();
	await page.goto(`${emulator.deskOrigin}/#${id}`);
	const line = page.locator('#lines .line.representative').first();
	await line.waitFor();
	const count = async (selector: string) => await line.locator(selector).count();
	const checks: Checks = {
		'bold, lists and tables are shown as what they are':
			(await count('strong')) === 2 &&
			(await count('ol > li')) === 2 &&
			(await count('ul > li')) === 1 &&
			(await count('td')) === 2,
		'a link opens apart, and tells nobody where it came from':
			(await line.locator('a').getAttribute('rel')) === 'noopener noreferrer' &&
			(await line.locator('a').getAttribute('target')) === '_blank',
		'a plain text stays as it is': await isShown(desk.said('**as** _it_ stands')),
		'the list has the words alone': await isShown(desk.id('conversations').getByText('**as** _it_ stands')),
	};
	await picture(page, 'markdown');
	emulator.desk.reply(id, { text: HOSTILE });
	emulator.desk.reply(id, { text: `${'>'.repeat(3_000)} **deep**` });
	const hostile = page.locator('#lines .line.representative').nth(2);
	await hostile.waitFor();
	const foreign = await hostile
		.locator('.bubble')
		.locator('img, script, svg, a, [onerror], [onload]')
		.count();
	checks['HTML in a message is text, and no link runs a script'] =
		foreign === 0 && (await page.evaluate('window.pwned')) === undefined;
	checks['what is nested without end is shown as it came'] = await isShown(desk.said('**deep**'));
	checks['a reference is its sign'] = await isShown(hostile.getByText('A <b> and &amp;'));
	return checks;
}

async function failedDeliveries(desk: DeskPage): Promise<Checks> {
	const { emulator, page } = desk;
	emulator.settings.delivery.retryDelayMs = 5;
	let answer: StubAnswer = UNKNOWN_WEBHOOK;
	const stub = await startHttpStub(() => answer);
	const id = emulator.desk.list().at(-1)?.id ?? '';
	await page.goto(`${emulator.deskOrigin}/#${id}`);
	const checks: Checks = {};
	const explained = async (words: RegExp) => {
		emulator.desk.typing(id);
		await emulator.idle();
		return await isShown(page.locator('#deliveries > li').first().getByText(words));
	};
	emulator.setWebhookUrl(`${stub.url}/webhook/a/b`);
	answer = UNKNOWN_WEBHOOK;
	checks['a delivery answered 404 says that no workflow is listening'] = await explained(
		/No workflow is listening at this URL\. Publish the workflow/,
	);
	answer = { status: 401, body: Buffer.alloc(0) };
	checks['one answered 401, that the token was rejected'] = await explained(/rejected the token/);
	answer = { status: 503, body: Buffer.alloc(0) };
	checks['one answered 503, what it may be'] = await explained(/cannot take it now/);
	emulator.setWebhookUrl(`${stub.url}/webhook-test/a/b`);
	answer = UNKNOWN_WEBHOOK;
	checks['one to a test URL, to listen for a test event'] = await explained(/Listen for test event/);
	emulator.setWebhookUrl(`http://127.0.0.1:${await closedPort()}/webhook`);
	checks['one that reaches nobody, that nothing listens'] = await explained(/Nothing listens at this URL/);
	await picture(page, 'failed-deliveries');
	await stub.close();
	return checks;
}

const SIZES = [
	{ width: 1280, height: 720 },
	{ width: 1920, height: 1080 },
	{ width: 1000, height: 800 },
	{ width: 400, height: 800 },
];

/** How far the page as a whole can be scrolled, in both directions. */
const OVERFLOW = `(() => {
	const { scrollHeight, clientHeight, scrollWidth, clientWidth } = document.documentElement;
	window.scrollTo(0, 10_000);
	return [scrollHeight - clientHeight, scrollWidth - clientWidth, window.scrollY];
})()`;

async function manyDeliveries(desk: DeskPage): Promise<Checks> {
	const { emulator, page } = desk;
	const id = emulator.desk.list().at(-1)?.id ?? '';
	for (let sent = 0; sent < 200; sent++) emulator.desk.reply(id, { text: `Message ${sent}` });
	await emulator.idle();
	await page.goto(`${emulator.deskOrigin}/#${id}`);
	const checks: Checks = {};
	for (const size of SIZES) {
		await page.setViewportSize(size);
		await desk.said('Message 199').waitFor();
		if (size.width < 700) await desk.id('go-deliveries').click();
		await page.locator('#deliveries > li').nth(99).waitFor();
		const panel = await page.evaluate<number>(
			'(({ scrollHeight, clientHeight }) => scrollHeight - clientHeight)(document.getElementById("panel-deliveries"))',
		);
		const overflow = await page.evaluate<number[]>(OVERFLOW);
		checks[`with 200 deliveries at ${size.width}×${size.height}, the panel scrolls and the page does not`] =
			panel > 1000 && overflow.every((pixels) => pixels === 0);
		await picture(page, `deliveries-${size.width}`);
	}
	await page.setViewportSize(SIZES[0] ?? { width: 1280, height: 720 });
	return checks;
}

async function credentialHelp(desk: DeskPage): Promise<Checks> {
	const { emulator, page } = desk;
	emulator.hints.certificateFile = '/tmp/emulator/certificate.pem';
	await desk.open();
	await page.getByRole('button', { name: 'Credential' }).first().click();
	const help = desk.id('credential');
	const { world, origin } = emulator;
	const shown = async (name: string, value: string) =>
		await isShown(
			help.locator('div', { has: page.getByText(name, { exact: true }) }).getByText(value, { exact: true }),
		);
	const checks: Checks = {
		'the head says whose webhook it shows': await isShown(page.getByText(`Webhook of ${world.channelName}`)),
		'the credential help has the Environment URL': await shown('Environment URL', origin),
		'the endpoint of Azure': await shown('Endpoint', origin),
		'its access key': await shown('Access Key', world.communicationAccessKey),
		'its channel': await shown('Channel ID', world.communicationChannelId),
		'how n8n comes to trust the certificate': await shown(
			'Command',
			'NODE_EXTRA_CA_CERTS=/tmp/emulator/certificate.pem n8n start',
		),
	};
	await picture(page, 'credential');
	const answer = await page.request.get(`${emulator.deskOrigin}/certificate.pem`);
	checks['the certificate is there, without its key'] = (await answer.text()) === emulator.certificate.cert;
	return checks;
}

runMain(async () => {
	const emulator = await startEmulator({ port: 0, deskPort: 0, contextLagMs: 0 });
	const browser = await openBrowser();
	const checks: Checks = {};
	try {
		const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
		page.setDefaultTimeout(20_000);
		const failures: string[] = [];
		page.on('pageerror', (error) => failures.push(String(error)));
		const desk = new DeskPage(page, emulator);
		const parts = { directly, throughAWebhook, markdown, failedDeliveries, manyDeliveries, credentialHelp };
		for (const [name, check] of Object.entries(parts)) {
			try {
				Object.assign(checks, await check(desk));
			} catch (error) {
				console.error(`${name}: ${String(error).slice(0, 600)}`);
				await page.screenshot({ path: join(process.env.E2E_FAILURES ?? '/tmp', `desk-${name}.png`) });
				checks[name] = false;
			}
		}
		for (const failure of failures) console.error(failure);
		checks['the page has no error'] = failures.length === 0;
		return report('desk', checks);
	} finally {
		await browser.close();
		await emulator.close();
	}
});
