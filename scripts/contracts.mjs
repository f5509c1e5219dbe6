// Makes the types of the services' request bodies from their contracts: emulator/<service>/contract.d.ts from
// emulator/<service>/contract.yaml. The files are not committed. Those that are up to date are not written again.
// With --check it makes nothing, and says what keeps the contracts from being valid OpenAPI.
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const emulator = join(dirname(dirname(fileURLToPath(import.meta.url))), 'emulator');
const SERVICES = ['messaging', 'dataverse', 'communication'];

/** The recommended rules of redocly that do not apply: the contracts describe Microsoft's services, with one answer for all errors. */
const RULES = {
	'info-license': 'off',
	'operation-4xx-response': 'off',
	// A table that is only the target of a look-up (x-lookup) has no path of its own.
	'no-unused-components': 'off',
};

const BANNER = (service) =>
	`// Made from emulator/${service}/contract.yaml by scripts/contracts.mjs. Change that file, not this one.\n`;

/** A type has no `if`: what is one schema or another is a union of both. */
const withoutIf = (node) => {
	if (Array.isArray(node)) return node.map(withoutIf);
	if (typeof node !== 'object' || node === null) return node;
	if (node.then?.$ref && node.else?.$ref) return { oneOf: [node.then, node.else] };
	return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, withoutIf(value)]));
};

/** Whether a file is older than what it is made from, which includes this script. */
const isStale = (file, sources) =>
	!existsSync(file) || sources.some((source) => statSync(source).mtimeMs > statSync(file).mtimeMs);

/** Makes the types of every contract that changed since they were made. */
export async function makeContractTypes() {
	const script = fileURLToPath(import.meta.url);
	for (const service of SERVICES) {
		const source = join(emulator, service, 'contract.yaml');
		const target = join(emulator, service, 'contract.d.ts');
		if (!isStale(target, [source, script])) continue;
		const { default: openapiTS, astToString } = await import('openapi-typescript');
		const { parse } = await import('yaml');
		const document = withoutIf(parse(readFileSync(source, 'utf8')));
		const types = await openapiTS(document, {
			rootTypes: true,
			rootTypesNoSchemaPrefix: true,
			rootTypesKeepCasing: true,
			silent: true,
		});
		writeFileSync(target, BANNER(service) + astToString(types));
	}
}

/**
 * Whether the contracts are valid OpenAPI, by the two readers that people use most.
 * @returns {Promise<string[]>} what is wrong, a line each
 */
async function checkContracts() {
	const { createConfig, lint } = await import('@redocly/openapi-core');
	const { default: SwaggerParser } = await import('@apidevtools/swagger-parser');
	const config = await createConfig({ extends: ['recommended'], rules: RULES });
	const found = SERVICES.map(async (service) => {
		const ref = join(emulator, service, 'contract.yaml');
		const problems = await lint({ ref, config });
		const invalid = await SwaggerParser.validate(ref).then(
			() => [],
			(error) => [`${service} ${error.message}`],
		);
		const lines = problems.map(
			({ location: [place], message, ruleId }) => `${service} ${place?.pointer} ${ruleId}: ${message}`,
		);
		return [...lines, ...invalid];
	});
	return (await Promise.all(found)).flat();
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
	if (process.argv.includes('--check')) {
		const problems = await checkContracts();
		for (const problem of problems) console.log(problem);
		process.exitCode = problems.length > 0 ? 1 : 0;
	} else await makeContractTypes();
}
