// A node that asks nobody and gives out items like those of a list of conversations, to measure n8n's own share of them.
exports.BareList = class BareList {
	description = {
		displayName: 'Bare List',
		name: 'bareList',
		group: ['input'],
		version: 1,
		description: 'Gives out items',
		defaults: { name: 'Bare List' },
		inputs: ['main'],
		outputs: ['main'],
		properties: [{ displayName: 'Length', name: 'length', type: 'number', default: 1 }],
	};

	async execute() {
		const timestamp = new Date(0).toISOString();
		const item = (_, index) => ({
			json: {
				conversationId: `c0ffee00-0000-4000-8000-${String(index).padStart(12, '0')}`,
				timestamp,
			},
			pairedItem: { item: 0 },
		});
		return [Array.from({ length: this.getNodeParameter('length', 0) }, item)];
	}
};
