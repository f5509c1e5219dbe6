import { sendNode, workflowOf } from '../../tools/n8n/echoWorkflow';
import { withLease } from '../../tools/n8n/longWork';
import { type CredentialIds, fillTemplate } from '../../tools/n8n/templates';
import type { Cluster } from './cluster';

/** The ways in which a delivery can be taken: by the trigger's two settings of Respond, and by the template for long work. */
export const WAYS = ['immediately', 'onSuccess', 'longWork'] as const;
export type Way = (typeof WAYS)[number];

/** A workflow, and the path of its trigger below n8n's `/webhook/`. */
export interface Made {
	workflow: object;
	path: string;
}

/** For how long a run has its conversation in the template for long work; longer than the service is ever silent here. */
export const LEASE_SECONDS = 30;

/** Two nodes: what Dynamics says is sent back to its conversation. */
function plain(name: string, respond: string, dynamics365: string): Made {
	return workflowOf(name, dynamics365, { events: ['message'], respond }, [sendNode(dynamics365)]);
}

/** The template, with a shorter lease, and work that takes no time. */
function longWork({ dynamics365, postgres }: Cluster['credentials']): Made {
	const own = { type: 'dynamics365MessagingApi', id: dynamics365 };
	const credentials: CredentialIds = {
		'n8n-nodes-dynamics365-messaging.dynamics365Messaging': own,
		'n8n-nodes-dynamics365-messaging.dynamics365MessagingTrigger': own,
		'n8n-nodes-base.postgres': { type: 'postgres', id: postgres },
	};
	const setLease = withLease(LEASE_SECONDS);
	const { workflow, pathOf } = fillTemplate('long-work', {
		credentials,
		set: (node) => {
			setLease(node);
			if (node.name !== 'Your own work') return;
			const { assignments } = node.parameters as { assignments: { assignments: Array<{ value: string }> } };
			for (const assignment of assignments.assignments) assignment.value = '={{ $json.item.text }}';
		},
	});
	return { workflow, path: pathOf('From Dynamics 365') };
}

/** Makes the workflow of a way. */
export function workflowFor(way: Way, credentials: Cluster['credentials']): Made {
	if (way === 'longWork') return longWork(credentials);
	return plain(`Respond: ${way}`, way, credentials.dynamics365);
}
