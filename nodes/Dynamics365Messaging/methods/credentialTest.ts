import type {
	ICredentialsDecrypted,
	ICredentialTestFunctions,
	INodeCredentialTestResult,
} from 'n8n-workflow';
import { conversationList } from '../operations/conversation/getMany';
import { connectionFrom } from '../api/connection';
import { InputError, ServiceError } from '../api/errors';
import { readPage } from '../api/pages';

/**
 * The credential's Test: gets a token, then lists one conversation, as that call alone shows that the channel and the
 * organization accept it. It does not show that the webhook is set up: nothing can be asked about that here.
 */
export async function testConnection(
	this: ICredentialTestFunctions,
	credential: ICredentialsDecrypted,
): Promise<INodeCredentialTestResult> {
	try {
		await readPage(connectionFrom(credential.data ?? {}), conversationList(1));
		return { status: 'OK', message: 'Connection successful!' };
	} catch (error) {
		return { status: 'Error', message: explain(error) };
	}
}

function explain(error: unknown): string {
	const code = error instanceof ServiceError && error.code !== null ? ` (${error.code})` : '';
	const description =
		error instanceof InputError || error instanceof ServiceError ? ` ${error.description}` : '';
	return `${error instanceof Error ? error.message : 'The test failed'}${code}.${description}`;
}
