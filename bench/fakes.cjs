// What n8n gives a trigger and a node, without n8n: the parameters are there, the credential is decrypted, nothing is stored.
const { EventEmitter } = require('node:events');

const logger = { debug() {}, info() {}, warn() {}, error() {} };

/** The parameters of a trigger that was just dropped into a workflow. */
const TRIGGER_PARAMETERS = {
	events: ['conversationEvent', 'customEvent', 'message', 'other'],
	respond: 'immediately',
	verification: 'entraToken',
	output: 'single',
	options: {},
};

/** A response that nobody reads: n8n ends it, and it is closed. */
class Response extends EventEmitter {
	statusCode = 200;
	closed = false;
	destroyed = false;
	socket = { destroyed: false };
	writableFinished = false;

	status(code) {
		this.statusCode = code;
		return this;
	}

	setHeader() {}

	end() {
		this.writableFinished = true;
		this.closed = true;
		this.emit('close');
	}
}

/** The context of a trigger's node, for one delivery. */
function triggerContext({ credential, request, response, conversationId, credentialId = '1' }) {
	const node = {
		id: 'node',
		webhookId: 'webhook',
		name: 'Trigger',
		type: 'n8n-nodes-dynamics365-messaging.dynamics365MessagingTrigger',
		typeVersion: 1,
		credentials: { dynamics365MessagingApi: { id: credentialId, name: 'Emulator' } },
	};
	return {
		logger,
		helpers: {},
		getNode: () => node,
		getWorkflow: () => ({ id: 'workflow', name: 'Workflow' }),
		getMode: () => 'webhook',
		getNodeParameter: (name, fallback) => TRIGGER_PARAMETERS[name] ?? fallback,
		getCredentials: async () => ({ ...credential }),
		getRequestObject: () => request,
		getResponseObject: () => response,
		getParamsData: () => ({ conversationId }),
	};
}

/** The value at a path such as `options.parallelConversations`; undefined where there is none. */
function valueAt(parameters, path) {
	return path.split('.').reduce((value, key) => value?.[key], parameters);
}

/** The context of an action node. Each item has the parameters that the expressions would give for it. */
function actionContext({ credential, items, parameters }) {
	const node = {
		id: 'node',
		name: 'Dynamics',
		type: 'n8n-nodes-dynamics365-messaging.dynamics365Messaging',
		typeVersion: 1,
		parameters,
		credentials: { dynamics365MessagingApi: { id: '1', name: 'Emulator' } },
	};
	const input = items.map((json, item) => ({ json, pairedItem: { item } }));
	return {
		logger,
		helpers: {},
		getNode: () => node,
		getWorkflow: () => ({ id: 'workflow', name: 'Workflow' }),
		getMode: () => 'trigger',
		getInstanceId: () => 'instance',
		getExecutionId: () => '1',
		getTimezone: () => 'Europe/Amsterdam',
		getExecutionCancelSignal: () => undefined,
		getInputData: () => input,
		getNodeParameter: (name, itemIndex, fallback, { extractValue = false } = {}) => {
			const value = valueAt(items[itemIndex], name) ?? valueAt(parameters, name) ?? fallback;
			return extractValue && value?.__rl ? value.value : value;
		},
		getCredentials: async () => ({ ...credential }),
		continueOnFail: () => false,
		addExecutionHints() {},
	};
}

module.exports = { actionContext, Response, triggerContext };
