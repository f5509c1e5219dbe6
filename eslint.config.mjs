import eslint from '@eslint/js';
import { n8nCommunityNodesPlugin } from '@n8n/eslint-plugin-community-nodes';
import { createNodeResolver, importX } from 'eslint-plugin-import-x';
import n8nNodesBase from 'eslint-plugin-n8n-nodes-base';
import { layers } from './layers.mjs';
import tseslint from 'typescript-eslint';

export default tseslint.config(
	{
		ignores: [
			'dist/',
			'coverage/',
			'node_modules/',
			'tools/n8n/.n8n/',
			'emulator/desk/page/',
			// Made by scripts/contracts.mjs.
			'emulator/*/contract.d.ts',
			// The body of a function, as a Code node has it.
			'bench/normalise.js',
			'package-lock.json',
			// It stands on what the build makes; test/package.test.ts compiles it.
			'index.d.ts',
		],
	},
	{
		files: ['**/*.ts'],
		extends: [eslint.configs.recommended, ...tseslint.configs.recommendedTypeChecked],
		languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
		rules: {
			'@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
			'@typescript-eslint/require-await': 'off',
		},
	},
	{
		files: ['**/*.{ts,mjs}'],
		plugins: { 'import-x': importX },
		settings: {
			'import-x/resolver-next': [
				createNodeResolver({ extensions: ['.ts', '.d.ts', '.mjs', '.d.mts', '.json'] }),
			],
		},
		rules: {
			'import-x/no-restricted-paths': ['error', { basePath: import.meta.dirname, zones: layers }],
		},
	},
	{
		files: ['nodes/**/*.ts', 'credentials/**/*.ts'],
		rules: {
			'import-x/no-cycle': 'error',
			'no-restricted-properties': [
				'error',
				{ object: 'AbortSignal', property: 'any', message: 'It may forget a time limit: use timeLimit().' },
			],
		},
	},
	{
		// jest's matchers (expect.any, …) and the answers that tests read are of type any.
		files: ['test/**/*.ts'],
		rules: {
			'@typescript-eslint/no-unsafe-assignment': 'off',
			'@typescript-eslint/no-unsafe-member-access': 'off',
			'@typescript-eslint/no-unsafe-return': 'off',
			'@typescript-eslint/no-base-to-string': 'off',
		},
	},
	{
		// The names of tests, and those of what the end-to-end tests check, say what holds in one line.
		files: ['test/**/*.ts'],
		rules: {
			'no-restricted-syntax': [
				'error',
				...[
					'CallExpression[callee.name=/^(describe|it|test)$/] > Literal:first-child',
					'CallExpression[callee.callee.object.name=/^(describe|it|test)$/] > Literal:first-child',
					'CallExpression[callee.property.name=each] > ArrayExpression > ArrayExpression > Literal:first-child',
					'MemberExpression[object.name=checks] > Literal.property',
					'Property > Literal.key',
				].map((name) => ({
					selector: `${name}[value.length>=100]`,
					message: 'The name of a test has fewer than 100 characters.',
				})),
			],
		},
	},
	{
		files: ['**/*.{js,mjs,cjs}'],
		extends: [eslint.configs.recommended],
		languageOptions: {
			globals: {
				process: 'readonly',
				console: 'readonly',
				require: 'readonly',
				module: 'writable',
				exports: 'writable',
				URL: 'readonly',
				Buffer: 'readonly',
				setTimeout: 'readonly',
				clearTimeout: 'readonly',
				setInterval: 'readonly',
				clearInterval: 'readonly',
			},
		},
	},
	{
		files: ['nodes/**/*.ts', 'credentials/**/*.ts', 'package.json'],
		extends: [n8nCommunityNodesPlugin.configs.recommendedWithoutN8nCloudSupport],
	},
	{
		files: ['package.json'],
		languageOptions: { parser: tseslint.parser, parserOptions: { extraFileExtensions: ['.json'] } },
		plugins: { 'n8n-nodes-base': n8nNodesBase },
		rules: {
			...n8nNodesBase.configs.community.rules,
			// MSAL is what the token flow is to be left to, jose what signatures are to be verified with, entities
			// knows HTML's character references; writing any of them here would be the greater risk. Markdown is read here, as no
			// library of one package keeps what is written and does bounded work. It makes the package one for self-hosted n8n,
			// which its README says.
			'@n8n/community-nodes/no-runtime-dependencies': 'off',
		},
	},
	{
		files: ['credentials/**/*.ts'],
		plugins: { 'n8n-nodes-base': n8nNodesBase },
		rules: {
			...n8nNodesBase.configs.credentials.rules,
			// Off in n8n's own node-cli too: made for n8n's documentation, where a URL is no slug.
			'n8n-nodes-base/cred-class-field-documentation-url-miscased': 'off',
		},
	},
	{
		files: ['nodes/**/*.ts'],
		plugins: { 'n8n-nodes-base': n8nNodesBase },
		rules: {
			...n8nNodesBase.configs.nodes.rules,
			// Off in n8n's own node-cli too: they ask for the literals that node-connection-type-literal refuses.
			'n8n-nodes-base/node-class-description-inputs-wrong-regular-node': 'off',
			'n8n-nodes-base/node-class-description-outputs-wrong': 'off',
		},
	},
);
