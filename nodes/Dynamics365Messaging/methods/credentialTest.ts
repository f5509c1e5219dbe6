import type {
	ICredentialsDecrypted,
	ICredentialTestFunctions,
	INodeCredentialTestResult,
} from 'n8n-workflow';
import { testResult } from '../../shared/action/nodeErrors';
import { getToken } from '../../shared/entra/token';
import { connectionFrom } from '../connection';
import { messagingClient } from '../messagingApi/client';
import { conversationList } from '../messagingApi/pages';

/**
 * Tests the credential in n8n: gets a token, then lists one conversation, which shows that the service accepts the
 * organization and the channel. Without a Channel ID the token is all that can be tested: the channel is made next. It does
 * not test the webhook, which Channel: Check Setup does.
 */
export async function testConnection(
	this: ICredentialTestFunctions,
	credential: ICredentialsDecrypted,
): Promise<INodeCredentialTestResult> {
	return await testResult(async () => {
		const connection = connectionFrom(credential.data ?? {});
		if (connection.channelId === '') {
			await getToken(connection);
			return 'The token is good. Next: Channel: Create';
		}
		await messagingClient(connection).page(conversationList(1));
		return undefined;
	});
}
