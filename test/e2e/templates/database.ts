import { Database, servicesFrom } from '../../../bench/queue/services';
import { type CredentialIds, runQueryOf } from '../../../tools/n8n/templates';
import type { N8nWithEmulator } from '../../../tools/n8n/withN8n';
import { makeCredential } from '../../../tools/n8n/workflows';

/** A database in which the workflow `tables.json` was run, and n8n's credential for it. */
export interface TemplateDatabase {
	database: Database;
	credentials: CredentialIds;
	/** Lets nobody into the database, and ends the connections that there are; or lets everybody in again. */
	allowConnections: (isAllowed: boolean) => Promise<void>;
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
	// Nobody can close a database from within.
	const admin = await Database.create(postgres, `${database.name}_admin`);
	const allowConnections = async (isAllowed: boolean) => {
		await admin.rows(`ALTER DATABASE ${database.name} WITH ALLOW_CONNECTIONS ${isAllowed}`);
		if (isAllowed) return;
		const end = 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1';
		await admin.rows(end, [database.name]);
	};
	try {
		// Twice, as the page says that it may be.
		await runQueryOf('tables', 'Make the tables', database);
		await runQueryOf('tables', 'Make the tables', database);
		const id = await makeCredential(n8n, 'postgres', { ...postgres, database: database.name });
		const credentials = { 'n8n-nodes-base.postgres': { type: 'postgres', id } };
		return await use({ database, credentials, allowConnections });
	} finally {
		await database.drop();
		await admin.drop();
	}
}
