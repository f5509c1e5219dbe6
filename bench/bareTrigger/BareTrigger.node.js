// A trigger that checks nothing and passes the body on, to measure what any trigger costs in n8n.
exports.BareTrigger = class BareTrigger {
	description = {
		displayName: 'Bare Trigger',
		name: 'bareTrigger',
		group: ['trigger'],
		version: 1,
		description: 'Passes on the body that it gets',
		defaults: { name: 'Bare Trigger' },
		inputs: [],
		outputs: ['main'],
		webhooks: [
			{
				name: 'default',
				httpMethod: 'POST',
				responseMode: 'onReceived',
				path: '={{$nodeId}}/v3/conversations/:conversationId/activities',
				isFullPath: true,
			},
		],
		properties: [],
	};

	async webhook() {
		return { workflowData: [[{ json: this.getBodyData() }]], webhookResponse: '' };
	}
};
