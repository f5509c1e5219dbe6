import type { IHookFunctions, IWebhookFunctions } from 'n8n-workflow';
import { listOf, type Filter } from '../activity/filter';
import { readLimits } from '../attachments/limits';
import { tidyId } from '../../shared/entra/appCredential';
import { flagError, flagOf } from '../../shared/action/parameters';
import { isRecord, textOf } from '../../shared/json';
import type { InputError } from '../../shared/transport/errors';
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

/** The options that are on or off, by their labels. */
export const FLAGS = {
	downloadAttachments: 'Download Attachments',
	listButtons: 'List Buttons in Plain Text',
} as const;

/**
 * Reads what the options say of an item. An expression may have given any of them.
 * @param onInvalid is told of one that is neither yes nor no, or no number. Unless it throws, the default holds.
 */
export function readItemOptions(
	options: Record<string, unknown>,
	onInvalid: (error: InputError) => void,
): Pick<Settings, 'listsButtons' | 'download'> {
	const flag = (name: keyof typeof FLAGS): boolean => {
		const value = flagOf(options[name]);
		if (value === undefined) onInvalid(flagError(FLAGS[name]));
		return value === true;
	};
	return {
		listsButtons: flag('listButtons'),
		download: flag('downloadAttachments') ? readLimits(options, onInvalid) : undefined,
	};
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
		...readItemOptions(options, ({ message, description }) =>
			context.logger.warn(
				`Dynamics 365 Messaging Trigger: ${message}. ${description} Its default holds meanwhile.`,
			),
		),
	};
}
