import type {
	ICredentialsDecrypted,
	ICredentialTestFunctions,
	INodeCredentialTestResult,
} from 'n8n-workflow';
import { ServiceError } from '../../shared/transport/errors';
import { testResult } from '../../shared/action/nodeErrors';
import { callService } from '../api/client';
import { connectionFrom } from '../api/connection';
import { conversationsRequest } from '../operations/conversation/getMany';

/**
 * The credential's Test: lists one conversation, which shows that the resource accepts what the credential proves with.
 * A user access token may not be allowed to list, which shows as much: it was accepted.
 */
export async function testConnection(
	this: ICredentialTestFunctions,
	credential: ICredentialsDecrypted,
): Promise<INodeCredentialTestResult> {
	return await testResult(async () => {
		const connection = connectionFrom(credential.data ?? {});
		await callService(connection, conversationsRequest({ maxPageSize: '1' })).catch((error: unknown) => {
			const isAccepted = error instanceof ServiceError && error.httpCode === 403;
			if (!isAccepted || connection.proof.kind !== 'userToken') throw error;
		});
	});
}
