import type { IHookFunctions, IWebhookFunctions } from 'n8n-workflow';
import { listOf, type Filter } from '../activity/filter';
import { readLimits } from '../attachments/limits';
import { tidyId } from '../../shared/entra/appCredential';
import { isRecord, textOf } from '../../shared/json';
import type { Trust } from './verify';

/** The trigger's parameters. */
export interface Settings extends Filter {
	/** Whether a delivery needs a valid token; without it every caller is accepted. */
	verifiesCaller: boolean;
	trust: Trust;
	/** Whether a delivery is answered only when its workflow has ended, and those of a conversation run in their order. */
	respondsOnSuccess: boolean;
	/** Whether each chosen event type has its own output. */
	perEvent: boolean;
	/** Whether the buttons of a message are listed below its plain text. */
	listsButtons: boolean;
	/** The limits for fetching attachments; undefined where they are not fetched. */
	download: { maxBytes: number; maxCount: number } | undefined;
}

/** Reads the options that are set. */
export function readOptions(context: IWebhookFunctions | IHookFunctions): Record<string, unknown> {
	const options: unknown = context.getNodeParameter('options', {});
	return isRecord(options) ? options : {};
}

/** Reads the trigger's parameters. A restriction that was added but is empty lets nothing through. */
export function readSettings(context: IWebhookFunctions): Settings {
	const options = readOptions(context);
	const events: unknown = context.getNodeParameter('events');
	const restriction = (name: string) => (name in options ? listOf(options[name]) : undefined);
	const guid = (name: string) => (name in options ? tidyId(options[name]) : undefined);
	const text = (name: string) => (name in options ? (textOf(options[name]) ?? '').trim() : undefined);
	return {
		verifiesCaller: context.getNodeParameter('verification') !== 'none',
		trust: { audience: text('audience'), callerObjectId: guid('callerObjectId') },
		respondsOnSuccess: context.getNodeParameter('respond', 'immediately') === 'onSuccess',
		events: Array.isArray(events) ? events.filter((event) => typeof event === 'string') : [],
		eventNames: restriction('eventNames'),
		conversationIds: restriction('conversationIds')?.map(tidyId),
		perEvent: context.getNodeParameter('output') === 'perEvent',
		listsButtons: options.listButtons === true,
		download:
			options.downloadAttachments === true
				? readLimits(options, ({ message, description }) =>
						context.logger.warn(
							`Dynamics 365 Messaging Trigger: ${message}. ${description} Files are fetched with its default meanwhile.`,
						),
					)
				: undefined,
	};
}
