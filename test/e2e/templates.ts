// Every template, imported as it is into a real n8n and run against the emulator.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { onStage, type Stage } from '../../tools/n8n/stage';
import { report, runMain } from '../../tools/report';

/** What a file below `templates/` gives: the checks of one template, by name, and whether each holds. */
interface Play {
	play: (stage: Stage) => Promise<Record<string, boolean>>;
}

const TEMPLATES = join(__dirname, '../../templates');
/** E2E_TEMPLATES=one,another plays only these. */
const { E2E_TEMPLATES } = process.env;
const wanted = E2E_TEMPLATES?.split(',').map((name) => name.trim());

runMain(
	async () =>
		await onStage(async (stage) => {
			const names = readdirSync(TEMPLATES)
				.filter((file) => file.endsWith('.json'))
				.map((file) => file.slice(0, -'.json'.length))
				.filter((name) => wanted?.includes(name) ?? true);
			let failed = 0;
			for (const name of names) {
				const { play } = (await import(`./templates/${name}`)) as Play;
				failed += report(`template ${name}`, await play(stage));
			}
			return failed === 0 ? 0 : 1;
		}),
);
