import type { IBinaryKeyData, ICredentialDataDecryptedObject, IDataObject, INode } from 'n8n-workflow';
import type { Emulator } from '../../emulator';
import { communicationCredential, credentialFor, testEmulator } from './emulator';
import { loadPackage, oneNode, outcomeOf, startWorkflow, type LoadedPackage } from './n8n';

/** The built package, and the emulator of the test that runs; jest gives each test file a copy of this module. */
export let loader: LoadedPackage;
export let emulator: Emulator;

/** Loads the package before the tests of a file. */
export function usePackage(): void {
	beforeAll(async () => void (loader = await loadPackage()));
}

/** Starts an emulator for each test of a file, or of the part of it that asks for one. */
export function useEmulator(): void {
	beforeEach(async () => void (emulator = await testEmulator()));
	afterEach(async () => await emulator.close());
}

/** A way to sign in to Azure Communication Services. */
export type Authentication = NonNullable<Parameters<typeof communicationCredential>[1]>;

/** How an operation is run, where it is not by default. */
export interface Given {
	/** What the node gets; one empty item by default. */
	items?: IDataObject[];
	binary?: IBinaryKeyData[];
	/** Settings of the node, such as `onError`. */
	node?: Partial<INode>;
	/** Fields of the credential that differ. */
	credential?: IDataObject;
	/** How the node for Azure Communication Services signs in; with a client secret by default. */
	authentication?: Authentication;
	/** Another emulator than that of the test. */
	at?: Emulator;
}

type ActionNode = Exclude<Parameters<typeof oneNode>[0], 'dynamics365MessagingTrigger'>;

function startNode(
	type: ActionNode,
	credentials: Record<string, ICredentialDataDecryptedObject>,
	[name, parameters, { items, binary, node, credential = {} }]: [string, IDataObject, Given],
): ReturnType<typeof startWorkflow> {
	const [resource, operation] = name.split(': ');
	const json = oneNode(type, { resource, operation, ...parameters }, node);
	const entries = Object.entries(credentials).map(([key, fields]) => [key, { ...fields, ...credential }]);
	return startWorkflow(loader, json, Object.fromEntries(entries) as typeof credentials, items, binary);
}

/**
 * Starts an operation of the node for Dynamics 365 through n8n-core.
 * @param name resource and operation, e.g. `message: send`.
 * @param parameters of the node beside these two.
 */
export function start(name: string, parameters: IDataObject = {}, given: Given = {}) {
	const credentials = { dynamics365MessagingApi: credentialFor(given.at ?? emulator) };
	return startNode('dynamics365Messaging', credentials, [name, parameters, given]);
}

/** As {@link start}, to its end. @returns what came out of the node */
export async function run(...given: Parameters<typeof start>): Promise<ReturnType<typeof outcomeOf>> {
	return outcomeOf(await start(...given));
}

/** As {@link run}, of the node for Azure Communication Services. */
export async function runCommunication(
	name: string,
	parameters: IDataObject = {},
	given: Given = {},
): Promise<ReturnType<typeof outcomeOf>> {
	const credential = communicationCredential(given.at ?? emulator, given.authentication);
	const credentials = { azureCommunicationServicesApi: credential };
	return outcomeOf(
		await startNode('azureCommunicationConversations', credentials, [name, parameters, given]),
	);
}
