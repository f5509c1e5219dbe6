import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { actionNode as communication } from '../../nodes/AzureCommunicationConversations/operations';
import { actionNode as dynamics } from '../../nodes/Dynamics365Messaging/operations';

const README = readFileSync(join(dirname(dirname(__dirname)), 'README.md'), 'utf8');

/** The tables of operations in the README, each a list of rows such as `Message: Get Many · Send`. */
const tables = [...README.matchAll(/\| Resource +\| Operations +\|\n\|[- |]+\|\n((?:\|.*\|\n)+)/g)].map(
	([, rows = '']) =>
		rows
			.trim()
			.split('\n')
			.map((row) => row.split('|').slice(1, 3))
			.map(([resource = '', operations = '']) => `${resource.trim()}: ${operations.trim()}`),
);

test.each([
	['Dynamics 365 Messaging', dynamics, 0],
	['Azure Communication Conversations', communication, 1],
] as const)(
	'the README lists the operations of %s in the order of the drop-downs',
	(_, { resources }, index) => {
		const rows = resources.map(
			({ name, operations }) => `${name}: ${operations.map((one) => one.name).join(' · ')}`,
		);
		expect(tables[index]).toEqual(rows);
	},
);
