// Some of real life for a template, behind the proxy of deploy/: bursts, doubles, faults of the services, odd front
// ends, and kills of n8n. Every word reaches whom it is for, once and in order, or the person concerned is told.
// SOAK=one,another plays only these, SOAK=all each of them; else the seed chooses. SEED repeats what chance did.
// The long form: SOAK=all SOAK_SECONDS=120 SOAK_KILLS=3.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { withN8n } from '../../tools/n8n/withN8n';
import { freePort } from '../../tools/ports';
import { startProxy } from '../../tools/proxy';
import { report, runMain } from '../../tools/report';
import { type Checks, Soak, waitForProxy } from './soak/soak';

interface SoakTest {
	play: (soak: Soak) => Promise<Checks>;
}

const { SOAK, SOAK_SECONDS = '30', SOAK_KILLS = '1', SEED = String(Date.now() % 1_000_000) } = process.env;
const TEMPLATES = join(__dirname, '../../templates');
/** How many templates are played where none is named: all of them take too long for each commit. */
const BY_CHANCE = 2;

/** The templates to play, of those that there are. */
function chosen(all: readonly string[], wanted: string | undefined, seed: number): string[] {
	if (wanted === 'all') return [...all];
	if (wanted !== undefined) {
		const names = wanted.split(',').map((name) => name.trim());
		return all.filter((name) => names.includes(name));
	}
	return all.filter((_, index) => (index + seed) % all.length < BY_CHANCE);
}

async function playOne(name: string): Promise<number> {
	const port = await freePort();
	const proxy = await startProxy('one-n8n', { N8N_UPSTREAM: `127.0.0.1:${port}` });
	try {
		return await withN8n(
			async (setup) => {
				await waitForProxy(proxy.url);
				const options = { seed: Number(SEED), seconds: Number(SOAK_SECONDS), kills: Number(SOAK_KILLS) };
				const { play } = (await import(`./soak/${name}`)) as SoakTest;
				return report(`soak ${name} (SEED=${SEED})`, await play(new Soak(setup, proxy.url, options)));
			},
			{ port, env: { N8N_WEBHOOK_URL: `${proxy.url}/` } },
		);
	} finally {
		await proxy.stop();
	}
}

runMain(async () => {
	const all = readdirSync(join(__dirname, 'soak'))
		.map((file) => file.replace(/\.ts$/, ''))
		// The others are what the plays share.
		.filter((name) => existsSync(join(TEMPLATES, `${name}.json`)));
	const names = chosen(all, SOAK, Number(SEED));
	console.log(`SEED=${SEED} plays ${names.join(', ')}`);
	let failed = 0;
	for (const name of names) failed += await playOne(name);
	return failed === 0 ? 0 : 1;
});
