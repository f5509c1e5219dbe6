import type { IHookFunctions } from 'n8n-workflow';
import { listOf } from '../activity/filter';
import { connectionFrom } from '../connection';
import { isGuid, tidyId } from '../../shared/entra/appCredential';
import { cut } from '../../shared/text';
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
 * @param onRefusal is called before it refuses.
 * @throws InputError with the address, the reason, and the setting to change.
 */
export async function checkCallable(context: IHookFunctions, onRefusal: () => void): Promise<void> {
	const url = context.getNodeWebhookUrl('setup') ?? '';
	const reason = URL.canParse(url) ? whyNotCallable(new URL(url)) : 'it is not a URL';
	if (reason === undefined || (await isLocalService(context))) return;
	onRefusal();
	const origin = URL.canParse(url) ? new URL(url).origin : url;
	throw new InputError(
		`Set WEBHOOK_URL to n8n's public https address and restart n8n: Dynamics 365 cannot reach ${origin} (${reason})`,
		'Its certificate must not be self-signed. Then publish (or activate) the workflow again.',
	);
}

/** The restrictions of the trigger, as its options have them. */
const RESTRICTIONS = { eventNames: 'Conversation Event Names', conversationIds: 'Conversation IDs' } as const;

/**
 * Refuses to activate a workflow with a restriction that would let nothing through: it is empty, or has an ID that cannot be
 * one. Pure.
 * @param options of the trigger.
 * @param verifies whether it believes callers with a token only.
 * @throws InputError with the name of the field.
 */
export function checkRestrictions(options: Record<string, unknown>, verifies: boolean): void {
	for (const [name, label] of Object.entries(RESTRICTIONS)) {
		if (!(name in options) || listOf(options[name]).length > 0) continue;
		throw new InputError(
			`${label} is empty: nothing would start the workflow`,
			'Fill it in, or remove the option to let all of them start it.',
		);
	}
	const noId =
		'conversationIds' in options && listOf(options.conversationIds).find((id) => !isGuid(tidyId(id)));
	if (typeof noId === 'string') {
		throw new InputError(
			`${RESTRICTIONS.conversationIds} has an entry that is not a GUID: ${cut(noId, 100)}`,
			'Use the conversationId of the trigger’s items, such as 9f6c021d-1234-4abc-8df7-123456789abc.',
		);
	}
	if (!verifies || !('callerObjectId' in options) || isGuid(tidyId(options.callerObjectId))) return;
	throw new InputError(
		'Caller Object ID is not a GUID: every delivery would be refused',
		'It is the object ID (oid) of the service principal that calls, such as 3e8a1c52-90ab-4cde-8f01-23456789abcd (Entra, Enterprise applications). Or remove the option.',
	);
}
