import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { send } from './support';

const root = join(__dirname, '../..');
const room = mkdtempSync(join(tmpdir(), 'emulator-command-'));
const running = new Set<ChildProcess>();
afterAll(() => {
	for (const child of running) child.kill('SIGKILL');
	rmSync(room, { recursive: true, force: true });
});

/** Runs the command until it has printed what to do. */
async function run(...args: string[]) {
	const child = spawn(
		process.execPath,
		['--import', 'tsx', 'emulator/main.ts', '--port', '0', '--desk-port', '0', ...args],
		{ cwd: root, env: { ...process.env, TMPDIR: room, TEMP: room }, stdio: ['ignore', 'pipe', 'inherit'] },
	);
	running.add(child);
	let text = '';
	for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
		text += String(chunk);
		if (text.includes('Ctrl-C')) break;
	}
	const certFile = /NODE_EXTRA_CA_CERTS=(\S+)/.exec(text)?.[1] ?? '';
	const origin = /Base URL +(\S+)/.exec(text)?.[1] ?? '';
	const stop = async () => {
		child.kill('SIGTERM');
		await once(child, 'exit');
		running.delete(child);
	};
	return { text, certFile, origin, stop };
}

test('the certificate is new at each start, and its folder private and gone afterwards', async () => {
	const [one, two] = await Promise.all([run(), run()]);
	const [cert, other] = [one, two].map(({ certFile }) => readFileSync(certFile, 'utf8'));
	expect(cert).not.toBe(other);
	expect(dirname(one.certFile)).not.toBe(dirname(two.certFile));
	expect(readdirSync(dirname(one.certFile))).toEqual(['certificate.pem']);
	if (process.platform !== 'win32') expect(statSync(dirname(one.certFile)).mode & 0o777).toBe(0o700);
	expect((await send(`${one.origin}/api/v1.0/consumer/conversations`, { ca: cert })).status).toBe(401);
	await Promise.all([one.stop(), two.stop()]);
	// On Windows, the process cannot handle the signal.
	if (process.platform !== 'win32') expect(existsSync(dirname(one.certFile))).toBe(false);
});

test('a folder of one’s own, and the credential’s fields by its names and in its order', async () => {
	const { certFile, stop, text } = await run('--cert-dir', join(room, 'own'));
	await stop();
	expect(certFile).toBe(join(room, 'own', 'certificate.pem'));
	expect(readdirSync(join(room, 'own'))).toEqual(['certificate.pem']);
	const fieldsAfter = (heading: string) => {
		const part = text.split(heading)[1]?.split('\n\n')[0];
		return part?.match(/^ {2}\w+(?: \w+)*(?= {2})/gm)?.map((field) => field.trim());
	};
	expect(fieldsAfter('In the n8n credential')).toEqual([
		'Tenant ID',
		'Client ID',
		'Client Secret',
		'Organization ID',
		'Geo',
		'Channel ID',
		'Environment URL',
		'Base URL',
		'Authority Host',
	]);
	expect(fieldsAfter('For Azure Communication Services')).toEqual([
		'Endpoint',
		'Access Key',
		'User Access Token',
		'Channel ID',
		'Conversation ID',
	]);
	expect(text).toContain('Europe, Middle East, Africa (eu)');
});
