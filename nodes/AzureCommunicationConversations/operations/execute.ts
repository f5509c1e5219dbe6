import type { IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import { paired, runNode, type Engine, type Given } from '../../shared/action/run';
import type { Throttle } from '../../shared/transport/throttle';
import { callService, listEntries } from '../api/client';
import { connectionFrom, type Connection } from '../api/connection';
import { OPERATIONS } from './registry';
import type { Plan } from './types';

/** Does what an item's plan says. */
async function carryOut(
	connection: Connection,
	pace: Throttle,
	plan: Plan,
	itemIndex: number,
): Promise<Given> {
	if (plan.kind === 'call') {
		const { json } = await callService(connection, plan.request, pace);
		return { items: paired(plan.toItems(json), itemIndex), hint: plan.hint };
	}
	const items: INodeExecutionData[] = [];
	for await (const entry of listEntries(connection, plan.request, plan.limit, pace)) {
		items.push({ json: plan.toItem(entry), pairedItem: { item: itemIndex } });
	}
	return { items };
}

/** Runs the node. @throws NodeApiError, NodeOperationError of the first item that fails, unless Continue On Fail is set. */
export async function execute(context: IExecuteFunctions): Promise<INodeExecutionData[][]> {
	const engine: Engine<Connection, Plan> = {
		connect: async () => connectionFrom(await context.getCredentials('azureCommunicationServicesApi')),
		carryOut,
	};
	return await runNode<Connection, Plan>(context, OPERATIONS, () => engine);
}
