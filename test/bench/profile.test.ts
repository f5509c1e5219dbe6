import type { Profiler } from 'node:inspector';
import { sharesOf, tableOfMemory, tableOfShares } from '../../bench/profile';

const PACKAGE = 'file:///n8n/nodes/node_modules/n8n-nodes-dynamics365-messaging';

/** A profile of functions, each called by the one before it, with what each took by itself. */
function chain(
	...frames: Array<readonly [url: string, microseconds: number, name?: string]>
): Profiler.Profile {
	return {
		startTime: 0,
		endTime: 0,
		nodes: frames.map(([url, , functionName = 'f'], index) => ({
			id: index + 1,
			callFrame: { functionName, url, scriptId: '', lineNumber: 0, columnNumber: 0 },
			children: index + 1 < frames.length ? [index + 2] : [],
		})),
		samples: frames.map((_, index) => index + 1),
		timeDeltas: frames.map(([, microseconds]) => microseconds),
	};
}

test('time goes to the part whose script it is, and that of Node.js to whoever has called it', () => {
	const shares = sharesOf(
		chain(
			['', 1, '(root)'],
			['file:///n8n/node_modules/n8n/dist/webhooks.js', 10],
			['file:///n8n/node_modules/isolated-vm/isolated-vm.js', 20],
			['', 40],
			[`${PACKAGE}/dist/nodes/Dynamics365Messaging/webhook/verify.js`, 100],
			['node:internal/crypto/hash', 200],
			[`${PACKAGE}/node_modules/jose/dist/webapi/jwt/verify.js`, 1_000],
			['file:///n8n/node_modules/@n8n/typeorm/index.js', 10_000],
			['file:///n8n/node_modules/n8n-nodes-base/dist/nodes/HttpRequest/HttpRequest.node.js', 100_000],
		),
	);
	expect(Object.fromEntries(shares)).toEqual({
		'Node.js itself': 1,
		'n8n: everything else': 100_010,
		'n8n: sandboxes for expressions': 60,
		'this package': 300,
		'jose: the token': 1_000,
		'n8n: database': 10_000,
	});
});

test('time in which nothing was done is no part, and garbage is one', () => {
	const shares = sharesOf(chain(['', 0, '(root)'], ['', 5, '(garbage collector)']));
	expect(shares.get('garbage collection')).toBe(5);
	expect([...sharesOf(chain(['', 7, '(idle)'], ['', 8, '(program)']))]).toEqual([]);
});

test('a table has what each took for one delivery, the largest part first', () => {
	const ours = new Map([
		['small', 20],
		['large', 3_000],
	]);
	const table = tableOfShares('Where:', 2, [
		['ours', ours],
		['bare', new Map([['other', 8]])],
	]);
	expect(table.rows).toEqual([
		['large', '1,500', '0'],
		['small', '10', '0'],
		['other', '0', '4'],
		['sum', '1,510', '4'],
	]);
});

test('a table of memory has by how much each kind grew, in megabytes', () => {
	const megabytes = (rss: number, heapUsed: number, external: number) => ({
		rss: rss * 1024 * 1024,
		heapUsed: heapUsed * 1024 * 1024,
		external: external * 1024 * 1024,
	});
	const table = tableOfMemory('What:', [
		['ours', { before: megabytes(300, 100, 10), largest: megabytes(350, 90, 40) }],
	]);
	expect(table.rows.map(([, grown]) => grown)).toEqual(['50', '-10', '30']);
});
