// What a delivery costs in the package alone, beside a bare verification of the same token by jose. Without n8n.
import { execFile } from 'node:child_process';
import type { Profiler } from 'node:inspector';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startEmulator, type Emulator } from '../emulator';
import { message } from '../emulator/messaging/activities';
import { credentialFor } from '../tools/emulatorCredentials';
import { installationOf, makeRunFolder } from '../tools/n8n/installation';
import { writeCertificateFile } from '../tools/n8n/withN8n';
import { textOf } from './deliveries';
import { sharesOf, tableOfShares } from './profile';
import type { Benchmark } from './sections';
import { median, ratioOf } from './statistics';

const run = promisify(execFile);

/** Microseconds of processor time of a delivery in one round, by its part. */
type Round = Record<'jose' | 'settings' | 'token' | 'reading' | 'duplicates' | 'whole' | 'first', number>;

interface Measured {
	rounds: Round[];
	profile?: Profiler.Profile;
}

const SIZES = { full: { rounds: 40, count: 1_000 }, short: { rounds: 10, count: 500 } };
const PROFILED = 5_000;

/** More tokens than the trigger remembers, so that each is new to it when its turn comes again. */
const NEW_TOKENS = 1_100;

async function tokensOf(emulator: Emulator): Promise<string[]> {
	const tokens: string[] = [];
	for (let made = 0; made < NEW_TOKENS; made++) {
		tokens.push(await emulator.issueDeliveryToken({ uti: String(made) }));
	}
	return tokens;
}

/** Measures in a process of n8n's own Node.js, as what runs this one changes the code. */
async function measured(size: (typeof SIZES)['full'], profiles: boolean): Promise<Measured> {
	const emulator = await startEmulator({ port: 0, deskPort: 0 });
	const folder = makeRunFolder('delivery');
	try {
		const { world } = emulator;
		const id = 'c0ffee00-0000-4000-8000-000000000001';
		const settings = {
			...size,
			profiles,
			activity: message(
				{ channelId: world.channelId, id },
				{ id: world.servicePrincipalId, name: 'Amber Rodriguez' },
				{ text: textOf('{order}') },
			),
			tokens: await tokensOf(emulator),
			credential: credentialFor(emulator),
		};
		const file = join(folder, 'delivery.json');
		writeFileSync(file, JSON.stringify(settings));
		const { stdout } = await run(
			installationOf().node,
			['--expose-gc', join(__dirname, 'deliveryProcess.cjs'), file],
			{
				env: { ...process.env, NODE_EXTRA_CA_CERTS: writeCertificateFile(emulator, folder) },
				maxBuffer: 512 * 1024 * 1024,
			},
		);
		return JSON.parse(stdout) as Measured;
	} finally {
		await emulator.close();
		rmSync(folder, { recursive: true, force: true });
	}
}

const ROWS: ReadonlyArray<readonly [part: keyof Round, what: string]> = [
	['token', 'token: its hash, the keys, the times, the claims'],
	['reading', 'reading: the limits, the numbers, the activity, its text made plain'],
	['duplicates', 'duplicates: looked up, remembered, forgotten at its answer'],
	['settings', 'settings: the parameters, the credential that is kept'],
	['whole', '**the whole delivery**'],
	['first', '**the same, with a token that is new**'],
	['jose', '`jwtVerify` of jose alone'],
];

export const delivery: Benchmark = {
	name: 'delivery',
	title: 'The trigger’s own share',
	measure: async ({ short, rounds: most }) => {
		const size = SIZES[short ? 'short' : 'full'];
		const { count } = size;
		const { rounds } = await measured({ count, rounds: most ?? size.rounds }, false);
		const of = (part: keyof Round) => rounds.map((round) => round[part]);
		return {
			how: `The trigger’s \`webhook\` in a process of n8n’s Node.js, called by a stand-in for n8n that gives it what n8n would: the message of the section above, with a text of its own, and a signed token. Processor time with the threads that verify signatures, medians of ${rounds.length} rounds of ${count.toLocaleString('en-US')} deliveries for each part, in turns. jose verifies the same token with the same keys. The trigger verifies the signature of a token once, and its times and claims each time; Entra’s tokens serve for an hour or longer.`,
			header: ['', 'CPU, µs', '÷ jose'],
			rows: ROWS.map(([part, what]) => [
				what,
				median(of(part)).toFixed(1),
				ratioOf(of(part), of('jose')).ratio.toFixed(2),
			]),
			checks: [
				{
					what: 'a whole delivery ÷ jose’s verification, CPU',
					...ratioOf(of('whole'), of('jose')),
					atMost: 1.5,
				},
			],
		};
	},
	profile: async () => {
		const { profile } = await measured({ rounds: 1, count: 1_000 }, true);
		const shares = profile ? sharesOf(profile) : new Map<string, number>();
		return [tableOfShares('Where the time of the main thread goes:', PROFILED, [['a delivery', shares]])];
	},
};
