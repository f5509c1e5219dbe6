import { NodeOperationError, type IHookFunctions } from 'n8n-workflow';
import { connectionFrom } from '../connection';
import { isLoopback } from '../../shared/transport/publicUrl';
import { whyNotCallable } from '../setup/webhookUrl';

/** Whether the credential is for a service on this machine, such as the emulator, which can call any local URL. */
async function isLocalService(context: IHookFunctions): Promise<boolean> {
	if (context.getNodeParameter('verification') === 'none') return false;
	return isLoopback(new URL(connectionFrom(await context.getCredentials('dynamics365MessagingApi')).origin));
}

/**
 * Refuses to activate a workflow at a URL that Dynamics cannot call.
 * @throws NodeOperationError with the URL, the reason, and the setting to change.
 */
export async function checkCallable(context: IHookFunctions): Promise<void> {
	const url = context.getNodeWebhookUrl('setup') ?? '';
	const reason = URL.canParse(url) ? whyNotCallable(new URL(url)) : 'it is not a URL';
	if (reason === undefined || (await isLocalService(context))) return;
	// n8n shows the message alone.
	throw new NodeOperationError(
		context.getNode(),
		`Dynamics 365 cannot call ${url}: ${reason}. Set WEBHOOK_URL of n8n to its public address (https://…), and restart n8n`,
		{
			description:
				'Its certificate must not be self-signed. Then activate the workflow again and register the production URL.',
		},
	);
}
