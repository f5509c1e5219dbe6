import type { IHookFunctions } from 'n8n-workflow';
import { connectionFrom } from '../connection';
import { InputError } from '../../shared/transport/errors';
import { isLoopback } from '../../shared/transport/publicUrl';
import { whyNotCallable } from '../setup/webhookUrl';

/** Whether the credential is for a service on this machine, such as the emulator, which can call any local URL. */
async function isLocalService(context: IHookFunctions): Promise<boolean> {
	if (context.getNodeParameter('verification') === 'none') return false;
	return isLoopback(new URL(connectionFrom(await context.getCredentials('dynamics365MessagingApi')).origin));
}

/**
 * Refuses to activate a workflow at a URL that Dynamics cannot call.
 * @throws InputError with the address, the reason, and the setting to change.
 */
export async function checkCallable(context: IHookFunctions): Promise<void> {
	const url = context.getNodeWebhookUrl('setup') ?? '';
	const reason = URL.canParse(url) ? whyNotCallable(new URL(url)) : 'it is not a URL';
	if (reason === undefined || (await isLocalService(context))) return;
	const origin = URL.canParse(url) ? new URL(url).origin : url;
	throw new InputError(
		`Set WEBHOOK_URL to n8n's public https address and restart n8n: Dynamics 365 cannot reach ${origin} (${reason})`,
		'Its certificate must not be self-signed. Then publish (or activate) the workflow again.',
	);
}
