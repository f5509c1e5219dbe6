// Which folder may import from which: the one place that says so. ESLint turns red where a file goes against it, and
// test/layers.test.ts holds the picture in docs/architecture.md to the imports.

const SHARED = ['nodes/shared/transport', 'nodes/shared/entra', 'nodes/shared/action'];
const NODES = ['nodes/Dynamics365Messaging', 'nodes/AzureCommunicationConversations'];
const dynamics = (...folders) => folders.map((folder) => `nodes/Dynamics365Messaging/${folder}`);
const communication = (...folders) =>
	folders.map((folder) => `nodes/AzureCommunicationConversations/${folder}`);

/** @type {Array<[target: string, from: string[], message: string]>} */
const RULES = [
	['nodes/shared/transport', [...SHARED.slice(1), ...NODES], 'transport/ knows no provider.'],
	['nodes/shared/entra', ['nodes/shared/action', ...NODES], 'entra/ knows no service.'],
	['nodes/shared/action', ['nodes/shared/entra', ...NODES], 'action/ knows no provider.'],
	['nodes/Dynamics365Messaging', [NODES[1]], 'One node knows nothing of the other.'],
	['nodes/AzureCommunicationConversations', [NODES[0]], 'One node knows nothing of the other.'],
	[
		dynamics('activity')[0],
		dynamics('attachments', 'dataverse', 'messagingApi', 'methods', 'operations', 'setup', 'webhook'),
		'activity/ is pure: it reads what arrives, and nothing else.',
	],
	[
		dynamics('messagingApi')[0],
		dynamics('dataverse', 'methods', 'operations', 'setup', 'webhook'),
		'The client of the Messaging API knows no Dataverse, and nothing above it.',
	],
	[
		dynamics('dataverse')[0],
		dynamics('messagingApi', 'methods', 'operations', 'setup', 'webhook'),
		'The client of Dataverse knows no Messaging API, and nothing above it.',
	],
	[dynamics('setup')[0], dynamics('methods', 'operations', 'webhook'), 'setup/ knows nothing above it.'],
	[dynamics('webhook')[0], dynamics('methods', 'operations'), 'The trigger knows no operation.'],
	[dynamics('operations')[0], dynamics('methods', 'webhook'), 'Operations know no trigger.'],
	[communication('api')[0], communication('methods', 'operations'), 'api/ knows nothing above it.'],
	['tools', ['bench', 'demo', 'scripts', 'test'], 'tools/ is used by these, and uses none of them.'],
	['emulator', ['bench', 'demo', 'nodes', 'scripts', 'test'], 'The emulator stands by itself.'],
	['bench', ['demo', 'scripts', 'test'], 'Benchmarks use tools/ and the emulator.'],
	['demo', ['bench', 'scripts', 'test'], 'The demo uses tools/ and the emulator.'],
	['scripts', ['bench', 'demo', 'test'], 'Scripts use tools/.'],
];

/** The resources of each node: their operations know no other resource. */
const RESOURCES = [
	dynamics(
		'operations/availability',
		'operations/channel',
		'operations/conversation',
		'operations/customEvent',
		'operations/message',
	),
	communication(
		'operations/conversation',
		'operations/message',
		'operations/participant',
		'operations/template',
	),
];

/** The zones of the rule import-x/no-restricted-paths. */
export const layers = [
	...RULES.map(([target, from, message]) => ({ target, from, message })),
	...RESOURCES.flatMap((resources) =>
		resources.map((target) => ({
			target,
			from: resources.filter((other) => other !== target),
			message: 'Operations know no other resource.',
		})),
	),
	{
		target: 'nodes',
		from: 'emulator',
		except: ['./messaging/contract.d.ts', './dataverse/contract.d.ts', './communication/contract.d.ts'],
		message: 'Of the emulator, nodes import the types of the contracts alone.',
	},
];
