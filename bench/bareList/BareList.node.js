// A node that gives out items like those of a list of conversations, to measure n8n's own share of them: made without asking
// anybody, or read from a service by the least that does it, a loop of node:https and JSON.parse that checks nothing.
const { Agent, get } = require('node:https');

function read(url, agent) {
	return new Promise((resolve, reject) => {
		const headers = { authorization: 'Bearer token' };
		get(url, { agent, headers }, (answer) => {
			const pieces = [];
			answer.on('data', (piece) => pieces.push(piece));
			answer.on('end', () => resolve(JSON.parse(Buffer.concat(pieces).toString('utf8'))));
			answer.on('error', reject);
		}).on('error', reject);
	});
}

async function itemsOf(url) {
	const agent = new Agent({ keepAlive: true });
	const items = [];
	for (let token; ;) {
		const page = await read(token === undefined ? url : `${url}&ContinuationToken=${token}`, agent);
		for (const { conversationId, timestamp } of page.conversations) {
			items.push({ json: { conversationId, timestamp }, pairedItem: { item: 0 } });
		}
		token = page.continuationtoken;
		if (token !== undefined) continue;
		agent.destroy();
		return items;
	}
}

function itemOf(index) {
	return {
		json: {
			conversationId: `c0ffee00-0000-4000-8000-${String(index).padStart(12, '0')}`,
			// Each its own, as n8n stores a text that comes again once.
			timestamp: `1970-01-01T00:00:00.${String(index).padStart(6, '0')}Z`,
		},
		pairedItem: { item: 0 },
	};
}

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
		properties: [
			{ displayName: 'Length', name: 'length', type: 'number', default: 1 },
			{ displayName: 'URL', name: 'url', type: 'string', default: '' },
		],
	};

	async execute() {
		const [length, url] = ['length', 'url'].map((name) => this.getNodeParameter(name, 0));
		return [url === '' ? Array.from({ length }, (_, index) => itemOf(index)) : await itemsOf(url)];
	}
};
