import type {
	ICredentialsDecrypted,
	ICredentialTestFunctions,
	INodeCredentialTestResult,
} from 'n8n-workflow';
import { testResult } from '../../shared/action/nodeErrors';
import { ServiceError } from '../../shared/transport/errors';
import { communicationClient } from '../api/client';
import { connectionFrom } from '../api/connection';
import { conversationsRequest } from '../operations/conversation/getMany';

/**
 * The credential's Test: lists one conversation, which shows that the resource accepts the credential.
 * A user access token may not be allowed to list, which shows as much: it was accepted.
 */
export async function testConnection(
	this: ICredentialTestFunctions,
	credential: ICredentialsDecrypted,
): Promise<INodeCredentialTestResult> {
	return await testResult(async () => {
		const connection = connectionFrom(credential.data ?? {});
		const request = conversationsRequest({ maxPageSize: '1' });
		await communicationClient(connection)
			.call(request)
			.catch((error: unknown) => {
				const isAccepted = error instanceof ServiceError && error.httpCode === 403;
				if (!isAccepted || connection.authentication.kind !== 'userToken') throw error;
			});
	});
}
