// The trigger that registers its own URL, in a real n8n: the channel's record has it while the workflow is active, and what
// stood there before when it is not any more, also after n8n was killed in between.
import { withN8n } from '../../tools/n8n/withN8n';
import { activate, triggerWorkflow } from '../../tools/n8n/workflows';
import { report, runMain } from '../../tools/report';
import { waitFor } from '../../tools/wait';

const BEFORE = 'https://middleware.example.com/hook';

runMain(
	async () =>
		await withN8n(async (setup) => {
			const { emulator, credentialId, publish, restart } = setup;
			const url = (path: string) => `${setup.n8n.url}/webhook/${path}`;
			const deactivate = async (id: string) =>
				await setup.n8n.rest('POST', `/workflows/${id}/deactivate`, {});
			const comesToBe = async (wanted: string | null) =>
				await waitFor(`${wanted} in the record`, 60_000, async () => emulator.webhookUrl() === wanted).then(
					() => true,
					() => false,
				);
			emulator.setWebhookUrl(BEFORE);
			const first = triggerWorkflow('First', credentialId, { registerWebhook: true });
			const second = triggerWorkflow('Second', credentialId, { registerWebhook: true });
			const checks: Record<string, boolean> = {};

			await publish('first', first.workflow);
			checks['activating registers the URL'] = await comesToBe(url(first.path));
			const refusal = await publish('second', second.workflow).then(
				() => '',
				(error: unknown) => String(error),
			);
			checks['a second workflow is refused, by the URL of the first'] = refusal.includes(url(first.path));
			checks['and leaves the record alone'] = emulator.webhookUrl() === url(first.path);

			await deactivate('first');
			checks['deactivating puts back what stood there'] = await comesToBe(BEFORE);

			await activate(setup.n8n, { id: 'first', name: 'First' });
			checks['activating again registers it again'] = await comesToBe(url(first.path));
			await restart();
			await waitFor(
				'the trigger to be there again',
				60_000,
				async () => (await fetch(url(first.path))).status === 200,
			);
			checks['it stands there after n8n was killed and started again'] = await comesToBe(url(first.path));
			await deactivate('first');
			checks['and deactivating puts back what stood there before all that'] = await comesToBe(BEFORE);
			return report('registration', checks);
		}),
);
