// A node that only reads the two parameters of a message for each item, to measure n8n's own share of sending it.
exports.BareRead = class BareRead {
	description = {
		displayName: 'Bare Read',
		name: 'bareRead',
		group: ['input'],
		version: 1,
		description: 'Reads two parameters of each item',
		defaults: { name: 'Bare Read' },
		inputs: ['main'],
		outputs: ['main'],
		properties: [
			{ displayName: 'Conversation ID', name: 'conversationId', type: 'string', default: '' },
			{ displayName: 'Text', name: 'text', type: 'string', default: '' },
		],
	};

	async execute() {
		const item = (_, index) => ({
			json: {
				conversationId: this.getNodeParameter('conversationId', index),
				text: this.getNodeParameter('text', index),
			},
			pairedItem: { item: index },
		});
		return [this.getInputData().map(item)];
	}
};
