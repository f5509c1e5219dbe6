// Every template, imported as it is into a real n8n of its own and run against the emulator.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { withN8n, type N8nWithEmulator } from '../../tools/n8n/withN8n';
import { report, runMain } from '../../tools/report';

/** A file below `templates/`. It returns the checks of one template, by name, and whether each holds. */
interface TemplateTest {
	check: (setup: N8nWithEmulator) => Promise<Record<string, boolean>>;
}

const TEMPLATES = join(__dirname, '../../templates');
/** E2E_TEMPLATES=one,another runs only these. */
const { E2E_TEMPLATES } = process.env;
const wanted = E2E_TEMPLATES?.split(',').map((name) => name.trim());

/** The tables are made by each test that needs them; a part, `NAME-answers`, is played with `NAME`. */
const isPlayedWithAnother = (name: string, all: readonly string[]) =>
	name === 'tables' || all.some((other) => name.startsWith(`${other}-`));

/** Plays one template in an n8n of its own. @returns 1 where a check failed or it broke off, else 0. */
async function play(name: string): Promise<number> {
	const { check } = (await import(`./templates/${name}`)) as TemplateTest;
	return await withN8n(async (setup) => report(`template ${name}`, await check(setup))).catch(
		(error: unknown) => {
			console.error(error);
			return 1;
		},
	);
}

runMain(async () => {
	const names = readdirSync(TEMPLATES)
		.filter((file) => file.endsWith('.json'))
		.map((file) => file.slice(0, -'.json'.length))
		.filter((name, _, all) => !isPlayedWithAnother(name, all) && (wanted?.includes(name) ?? true));
	let failed = 0;
	for (const name of names) {
		if ((await play(name)) === 0) continue;
		// A slow machine may have upset it; one that is broken fails again.
		console.log('  once more');
		failed += await play(name);
	}
	return failed === 0 ? 0 : 1;
});
