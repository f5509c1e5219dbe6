import type {
	ICredentialsDecrypted,
	ICredentialTestFunctions,
	INodeCredentialTestResult,
} from 'n8n-workflow';
import { testResult } from '../../shared/action/nodeErrors';
import { ServiceError } from '../../shared/transport/errors';
import { communicationClient } from '../api/client';
import { connectionFrom } from '../api/connection';
import { conversationsRequest, listRequest, templatesRequest } from '../api/request';

/**
 * Runs the Test of the credential: it lists one conversation, and one template where there is a channel. A user access token that may not list is refused with
 * 403, which shows that it was accepted as well.
 */
export async function testConnection(
	this: ICredentialTestFunctions,
	credential: ICredentialsDecrypted,
): Promise<INodeCredentialTestResult> {
	return await testResult(async () => {
		const connection = connectionFrom(credential.data ?? {});
		const client = communicationClient(connection);
		const { channelId } = connection;
		const lists = [
			conversationsRequest({ maxPageSize: '1' }),
			...(channelId === undefined ? [] : [templatesRequest(channelId)]),
		];
		for (const request of lists) {
			await client.page(listRequest(request, 1)).catch((error: unknown) => {
				const isAccepted = error instanceof ServiceError && error.httpCode === 403;
				if (!isAccepted || connection.authentication.kind !== 'userToken') throw error;
			});
		}
	});
}
