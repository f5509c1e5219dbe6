import { Database, servicesFrom } from '../../../bench/queue/services';
import { type CredentialIds, runQueryOf } from '../../../tools/n8n/templates';
import type { N8nWithEmulator } from '../../../tools/n8n/withN8n';
import { makeCredential } from '../../../tools/n8n/workflows';

/** A database in which the workflow `tables.json` was run, and n8n's credential for it. */
export interface TemplateDatabase {
	database: Database;
	credentials: CredentialIds;
}

/**
 * Makes a database with the tables of the templates, passes it to `use`, and drops it at the end.
 * @param name of the template that is played: it is a part of the database's name.
 */
export async function withTables<T>(
	{ n8n }: N8nWithEmulator,
	name: string,
	use: (tables: TemplateDatabase) => Promise<T>,
): Promise<T> {
	const { postgres } = servicesFrom(process.env);
	const database = await Database.create(postgres, `e2e_${name.replaceAll('-', '_')}_${process.pid}`);
	try {
		// Twice, as the page says that it may be.
		await runQueryOf('tables', 'Make the tables', database);
		await runQueryOf('tables', 'Make the tables', database);
		const id = await makeCredential(n8n, 'postgres', { ...postgres, database: database.name });
		return await use({ database, credentials: { 'n8n-nodes-base.postgres': { type: 'postgres', id } } });
	} finally {
		await database.drop();
	}
}
