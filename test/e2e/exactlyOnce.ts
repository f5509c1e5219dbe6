// The template exactly-once, as it is imported: what one process has seen, another one knows. A second trigger node
// takes the part of the second process, as each trigger remembers its own deliveries only.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Executions } from '../../tools/n8n/executions';
import { withN8n } from '../../tools/n8n/withN8n';
import { post } from '../../tools/post';
import { report, runMain } from '../../tools/report';

const CONVERSATION = 'c0ffee00-0000-4000-8000-000000000001';

interface TemplateNode {
	name: string;
	type: string;
	[key: string]: unknown;
}

/** The template with its credential set, and its trigger a second time. */
function workflowFrom(credentialId: string) {
	const template = JSON.parse(readFileSync(join(__dirname, '../../templates/exactly-once.json'), 'utf8')) as {
		nodes: TemplateNode[];
		connections: Record<string, unknown>;
	};
	const first = template.nodes.find(({ type }) => type.endsWith('.dynamics365MessagingTrigger'))!;
	const credentials = { dynamics365MessagingApi: { id: credentialId, name: 'Emulator' } };
	const triggers = [first.name, 'Another process'].map((name) => ({
		...first,
		name,
		credentials,
		id: randomUUID(),
		webhookId: randomUUID(),
	}));
	const others = template.nodes
		.filter((node) => node !== first)
		.map((node) => ({ ...node, id: randomUUID() }));
	const connections = { ...template.connections, 'Another process': template.connections[first.name] };
	return { triggers, workflow: { ...template, nodes: [...triggers, ...others], connections } };
}

runMain(
	async () =>
		await withN8n(async ({ emulator, n8n, credentialId, publish }) => {
			const { triggers, workflow } = workflowFrom(credentialId);
			await publish('exactlyOnce', workflow);
			const token = await emulator.issueDeliveryToken();
			const executions = new Executions(n8n);
			/** Delivers to one of the triggers. @returns whether the nodes behind it ran */
			const comesThrough = async (process: number, activity: object): Promise<boolean> => {
				const { webhookId, id } = triggers[process]!;
				const before = (await executions.all()).length;
				const url = new URL(
					`${n8n.url}/webhook/${webhookId}/${id}/v3/conversations/${CONVERSATION}/activities`,
				);
				const status = await post(url, token, JSON.stringify({ type: 'message', text: 'hi', ...activity }));
				if (status !== 200) throw new Error(`answered with ${status}`);
				const isNew = ({ id }: { id: string }) => Number(id) > before;
				const { runs } = await executions.waitFor('a delivery', isNew);
				return runs.some(({ node, items }) => node === 'Your own nodes' && items.length > 0);
			};
			return report('exactly once', {
				'the first try comes through': await comesThrough(0, { id: '1756399395730' }),
				'its retry at another process does not': !(await comesThrough(1, { id: '1756399395730' })),
				'another activity comes through': await comesThrough(1, { id: '1756399395731' }),
				'one without an ID comes through': await comesThrough(0, {}),
				'and so does the next one': await comesThrough(1, {}),
			});
		}),
);
