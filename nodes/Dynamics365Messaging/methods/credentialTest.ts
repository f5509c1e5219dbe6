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
 * The credential's Test: gets a token, then lists one conversation, as that call alone shows that the channel and the
 * organization accept it. It does not show that the webhook is set up: nothing can be asked about that here.
 */
export async function testConnection(
	this: ICredentialTestFunctions,
	credential: ICredentialsDecrypted,
): Promise<INodeCredentialTestResult> {
	return await testResult(async () => {
		await messagingClient(connectionFrom(credential.data ?? {})).page(conversationList(1));
	});
}
