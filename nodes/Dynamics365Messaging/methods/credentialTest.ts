import type {
	ICredentialsDecrypted,
	ICredentialTestFunctions,
	INodeCredentialTestResult,
} from 'n8n-workflow';
import { testResult } from '../../shared/action/nodeErrors';
import { connectionFrom } from '../connection';
import { messagingClient } from '../messagingApi/client';
import { conversationList } from '../messagingApi/pages';

/**
 * Tests the credential in n8n: gets a token, then lists one conversation, which shows that the service accepts the
 * organization and the channel. It does not test the webhook, which Channel: Check Setup does.
 */
export async function testConnection(
	this: ICredentialTestFunctions,
	credential: ICredentialsDecrypted,
): Promise<INodeCredentialTestResult> {
	return await testResult(async () => {
		await messagingClient(connectionFrom(credential.data ?? {})).page(conversationList(1));
	});
}
