// Every template, imported as it is into a real n8n and run against the emulator.
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

runMain(
	async () =>
		await withN8n(async (setup) => {
			const names = readdirSync(TEMPLATES)
				.filter((file) => file.endsWith('.json'))
				.map((file) => file.slice(0, -'.json'.length))
				.filter((name, _, all) => !isPlayedWithAnother(name, all) && (wanted?.includes(name) ?? true));
			let failed = 0;
			for (const name of names) {
				const { check } = (await import(`./templates/${name}`)) as TemplateTest;
				failed += report(`template ${name}`, await check(setup));
			}
			return failed === 0 ? 0 : 1;
		}),
);
