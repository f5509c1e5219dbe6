// What is measured in a fresh process of plain Node.js: `load <module> …` or `token <package> | fetch`, whose settings are
// in COST_CREDENTIAL (JSON of the credential) and COST_TOKEN_URL. Prints milliseconds, and how much memory it took.
/* global fetch, performance, URLSearchParams */
const { createRequire } = require('node:module');
const { join } = require('node:path');

const MEBIBYTE = 1024 * 1024;

async function firstToken(folder) {
	const credential = JSON.parse(process.env.COST_CREDENTIAL);
	if (folder === 'fetch') {
		const { clientId, clientSecret, scope } = credential;
		const form = {
			grant_type: 'client_credentials',
			client_id: clientId,
			client_secret: clientSecret,
			scope,
		};
		// The first call loads Node.js' own HTTP client. That of MSAL was loaded with MSAL.
		await (await fetch('data:,x')).text();
		return async () => {
			const answer = await fetch(process.env.COST_TOKEN_URL, {
				method: 'POST',
				body: new URLSearchParams(form),
			});
			return (await answer.json()).access_token;
		};
	}
	const { connectionFrom } = require(join(folder, 'dist/nodes/Dynamics365Messaging/connection.js'));
	const { getToken } = require(join(folder, 'dist/nodes/shared/entra/token.js'));
	return async () => await getToken(connectionFrom(credential));
}

async function measured([what, ...names]) {
	if (what === 'token') return await firstToken(names[0]);
	// n8n has loaded its own copy of this module anyway, and NODE_PATH makes the package use that copy.
	createRequire(join(process.cwd(), 'package.json'))('n8n-workflow');
	return async () => names.map((name) => require(name)).length > 0;
}

async function main() {
	const run = await measured(process.argv.slice(2));
	globalThis.gc();
	const before = process.memoryUsage.rss();
	const startedAt = performance.now();
	const result = await run();
	const ms = performance.now() - startedAt;
	globalThis.gc();
	if (!result) throw new Error('There is no result');
	console.log(JSON.stringify({ ms, mib: (process.memoryUsage.rss() - before) / MEBIBYTE }));
}

main().then(
	() => process.exit(0),
	(error) => {
		console.error(error);
		process.exit(1);
	},
);
