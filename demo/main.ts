import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Emulator, startEmulator } from '../emulator';
import { credentialFor } from '../tools/emulatorCredentials';
import { type CustomerApp, startCustomerApp } from './customer';
import { Executions } from '../tools/n8n/executions';
import { installationOf, makeRunFolder } from '../tools/n8n/installation';
import { type N8n, n8nLog, owner, startN8n } from '../tools/n8n/n8n';
import { writeCertificateFile } from '../tools/n8n/withN8n';
import { makeCredential, publishWorkflow, readWorkflow } from '../tools/n8n/workflows';
import { freePort } from '../tools/ports';
import { waitFor } from '../tools/wait';
import { play } from './play';
import { paint } from './terminal';
import { checkList, checks, nodes, transcript } from './transcript';

const once = process.argv.includes('--once');
/** Tests can choose another version of n8n and another folder of community packages. */
const argument = (name: string) =>
	process.argv.find((given) => given.startsWith(`--${name}=`))?.slice(name.length + 3);
const version = argument('n8n');
const installation = version === undefined ? undefined : installationOf(version);

/** True when the demo only waits for Ctrl-C. */
let up = false;

/** The clean-up functions, which run in reverse order. */
const cleanup: Array<() => Promise<void> | void> = [];

interface Wired {
	emulator: Emulator;
	n8n: N8n;
	app: CustomerApp;
	customerWebhook: string;
	triggerUrl: string;
}

/** Starts emulator, customer's app and n8n, and connects them with one another. */
async function wire(step: Step): Promise<Wired> {
	const emulator = await step('Emulated Dynamics 365', async () =>
		startEmulator({ port: await freePort(8443), deskPort: await freePort(8444) }),
	);
	cleanup.push(() => emulator.close());
	const app = await startCustomerApp();
	cleanup.push(() => app.close());

	const runFolder = makeRunFolder('', argument('packages'));
	cleanup.push(() => rmSync(runFolder, { recursive: true, force: true }));
	const certificateFile = writeCertificateFile(emulator, runFolder);
	emulator.hints.certificateFile = certificateFile;
	const n8n = await step('n8n, with the package', async () =>
		startN8n({
			runFolder,
			certificateFile,
			installation,
			port: await freePort(5678),
			// n8n would show the times of New York.
			env: { GENERIC_TIMEZONE: Intl.DateTimeFormat().resolvedOptions().timeZone },
		}),
	);
	cleanup.push(() => n8n.stop());
	return { emulator, app, n8n, ...(await step('Credential and workflows', () => setUp(n8n, emulator, app))) };
}

async function setUp(n8n: N8n, emulator: Emulator, app: CustomerApp) {
	const data = credentialFor(emulator);
	const id = await makeCredential(n8n, 'dynamics365MessagingApi', data, 'Dynamics 365 (emulator)');
	const placeholders = { DEMO_CREDENTIAL_ID: id, 'http://customer-app.demo': app.url };
	const workflow = (file: string) => readWorkflow(join(__dirname, 'workflows', file), placeholders);
	await publishWorkflow(n8n, 'customerToDynamics', workflow('customer-to-dynamics.json'));
	const back = await publishWorkflow(n8n, 'dynamicsToCustomer', workflow('dynamics-to-customer.json'));

	// What the trigger's panel shows as its production URL, and what the trigger itself has registered in Dynamics 365.
	const trigger = back.nodes.find(({ name }) => name === nodes.trigger);
	const triggerUrl = `${n8n.url}/webhook/${trigger?.webhookId}/${trigger?.id}`;
	await waitFor(`an answer at ${triggerUrl}`, 20_000, async () => (await fetch(triggerUrl)).status === 200);
	if (emulator.webhookUrl() !== triggerUrl) throw new Error('The trigger did not register its URL');
	const customerWebhook = `${n8n.url}/webhook/customer-message`;
	emulator.hints.customerWebhookUrl = customerWebhook;
	return { triggerUrl, customerWebhook };
}

/** Plays the conversation and prints it. @returns whether all of it was seen */
async function perform({ emulator, n8n, customerWebhook }: Wired, step: Step): Promise<boolean> {
	console.log(`\n${paint('bold', 'One conversation')}`);
	const executions = new Executions(n8n);
	let problem: unknown;
	try {
		await play({ emulator, executions, customerWebhook, trigger: nodes.trigger }, step);
	} catch (error) {
		problem = error;
	}
	const evidence = { executions: await executions.all(), log: emulator.log };
	const list = checks(evidence);
	console.log(`\n${paint('bold', "The conversation, from n8n's executions and the emulator's log")}\n`);
	console.log(transcript(evidence));
	console.log(`\n${paint('bold', "Checks of n8n's executions")}\n`);
	console.log(checkList(list));
	if (problem) console.log(`\n${paint('red', messageOf(problem))}`);
	return !problem && list.every(({ seen }) => seen);
}

function tellWhereToLook({ emulator, n8n, triggerUrl, customerWebhook }: Wired): void {
	const line = (label: string, value: string) => console.log(`  ${label.padEnd(15)}${paint('cyan', value)}`);
	console.log(`\n${paint('bold', 'Try it yourself')}\n`);
	line('n8n', n8n.url);
	line('sign in', `${owner.email}   ${owner.password}`);
	line('workflows', `${n8n.url}/workflow/customerToDynamics`);
	line('', `${n8n.url}/workflow/dynamicsToCustomer`);
	line('agent desk', emulator.deskOrigin);
	// Long values have a line of their own without indentation, so that they can be copied in a narrow terminal.
	console.log(
		`\n  The trigger's URL, which the trigger wrote into the channel's record in Dynamics 365:\n\n${paint('cyan', triggerUrl)}`,
	);
	console.log('\n  Be the customer and the representative at the agent desk: New customer writes to the');
	console.log("  workflow's webhook, or straight to Dynamics 365. Then accept and answer.\n");
	line('webhook', customerWebhook);
	console.log();
	const last = 'Ctrl-C stops everything. The next start is a new n8n: your changes are not kept.';
	console.log(`  ${paint('dim', last)}`);
}

type Step = <T>(label: string, fn: () => Promise<T>) => Promise<T>;

/** @returns the exit code */
async function main(): Promise<number> {
	const { step, tailOf } = await import('../tools/setup.mjs');
	const tellLog = () =>
		console.log(`\n${paint('bold', `The end of n8n's log (${n8nLog})`)}\n\n${tailOf(n8nLog)}`);
	console.log(`\n${paint('bold', 'Starting')}`);
	try {
		const wired = await wire(step);
		const complete = await perform(wired, step);
		if (!complete) tellLog();
		if (once) return complete ? 0 : 1;
		tellWhereToLook(wired);
		up = true;
		throw new Error(await wired.n8n.died);
	} catch (error) {
		console.error(`\n${paint('red', messageOf(error))}`);
		tellLog();
		return 1;
	}
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : JSON.stringify(error));

async function cleanUp(): Promise<void> {
	for (const undo of cleanup.splice(0).reverse()) await undo();
}

/** Resolves on Ctrl-C and similar signals, and when the parent process was killed and could not pass a signal on. */
const interrupted = new Promise<void>((resolve) => {
	for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
	const parent = process.ppid;
	setInterval(() => process.ppid !== parent && resolve(), 1000).unref();
});

async function stopped(): Promise<number> {
	await interrupted;
	console.log('\nStopping …');
	return up ? 0 : 130;
}

void Promise.race([main(), stopped()]).then(async (code) => {
	await cleanUp();
	process.exit(code);
});
