/** @type {import('jest').Config} */
module.exports = {
	testMatch: ['<rootDir>/test/**/*.test.ts'],
	modulePathIgnorePatterns: ['<rootDir>/tools/n8n/(node_modules|n8n-1|\\.n8n)/'],
	transform: {
		'^.+\\.[jt]s$': [
			'@swc/jest',
			{
				jsc: { target: 'es2022', parser: { syntax: 'typescript', decorators: true } },
				module: { type: 'commonjs' },
			},
		],
	},
	// jose, entities and marked are published as ES modules only; Node.js itself can require() them, jest's own loader cannot.
	transformIgnorePatterns: ['/node_modules/(?!(jose|entities|marked)/)'],
	globalSetup: '<rootDir>/test/support/globalSetup.ts',
	globalTeardown: '<rootDir>/test/support/globalTeardown.ts',
	setupFilesAfterEnv: ['<rootDir>/test/support/leaks.ts'],
	// The workers must start after globalSetup has set NODE_EXTRA_CA_CERTS, which Node.js reads only at start;
	// with a limit set, jest never runs tests in its own process.
	workerIdleMemoryLimit: '2GB',
	maxWorkers: 2,
	testTimeout: 30_000,
};
