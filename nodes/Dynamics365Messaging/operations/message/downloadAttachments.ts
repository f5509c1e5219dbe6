import { readNumber, type NumberField } from '../../../shared/action/fields/number';
import { optionsField } from '../../../shared/action/fields/options';
import type { Output } from '../../../shared/action/operation';
import type { ParameterReader } from '../../../shared/action/parameters';
import { plainFileName } from '../../../shared/fileName';
import { parseJson, type Json } from '../../../shared/json';
import { cut } from '../../../shared/text';
import { timeLimit } from '../../../shared/timeLimit';
import { InputError } from '../../../shared/transport/errors';
import { attachmentsOf } from '../../activity/attachments';
import type { Attachment } from '../../activity/items';
import { fetchAttachments, type FetchOptions } from '../../attachments/fetchAttachments';
import { ATTACHMENT_COUNT, ATTACHMENT_SIZE_MB, MEGABYTE } from '../../attachments/limits';
import type { Operation, StepsContext } from '../operation';

/** The largest size that an organization can set. Source: docs/service-facts.md#attachment-limits. */
const DEFAULT_MAX_SIZE_MB = 128;
const DEFAULT_MAX_COUNT = 20;
const MAX_SIZE_MB: NumberField = { ...ATTACHMENT_SIZE_MB, default: DEFAULT_MAX_SIZE_MB };
const MAX_COUNT: NumberField = { ...ATTACHMENT_COUNT, default: DEFAULT_MAX_COUNT };

function readAttachments(parameters: ParameterReader): Attachment[] {
	const raw = parameters.raw('attachments') as Json | undefined;
	const list = typeof raw === 'string' ? parseJson(raw) : raw;
	if (!Array.isArray(list)) {
		throw new InputError('Attachments is not a list', 'Give the attachments of an item of the trigger.');
	}
	return attachmentsOf({ attachments: list });
}

/** What an error says of where a file is: nothing of what signs its URL, and of a data URI only what it is. */
function placeOf(contentUrl: string | null): string {
	const url = (contentUrl ?? '').trim();
	const [, type] = /^data:([^;,]{0,100})/i.exec(url) ?? [];
	if (type !== undefined)
		return `a data URI (${type || 'text/plain'}) of ${url.length.toLocaleString('en-US')} characters`;
	if (!URL.canParse(url)) return cut(url.split(/[?#]/, 1).join(''), 100) || 'a file without a URL';
	const { host, pathname } = new URL(url);
	return cut(host + pathname, 200);
}

/** Milliseconds, for all files of an item together. */
const TIMEOUT_MS = 10 * 60_000;
/** What the files that are fetched at the same time may have together: one of the largest, or several smaller ones. */
const BYTES_AT_ONCE = 128 * MEGABYTE;

/** Fetches the files of an item. A file that cannot be fetched is an error, so that n8n can retry the item. */
async function downloadAll(
	attachments: Attachment[],
	limits: Pick<FetchOptions, 'maxBytes' | 'maxCount'>,
	{ connection, n8n }: Pick<StepsContext, 'connection' | 'n8n'>,
): Promise<Output> {
	const { signal, clear } = timeLimit(TIMEOUT_MS, n8n.signal);
	const concurrency = Math.max(1, Math.floor(BYTES_AT_ONCE / limits.maxBytes));
	const options = { ...limits, concurrency, signal, ownOrigin: connection.origin };
	const fetched = await fetchAttachments(attachments, options, n8n.binary).finally(clear);
	const failed = fetched.attachments.filter(({ downloadError }) => downloadError !== null);
	if (failed.length > 0) {
		await Promise.all(Object.values(fetched.binary).map(n8n.binary.discard));
		const reasons = failed.map(
			({ name, contentUrl, downloadError }) =>
				`${cut(plainFileName(name ?? ''), 100) || placeOf(contentUrl)}: ${downloadError}`,
		);
		throw new InputError(
			`${failed.length} of ${attachments.length} attachments could not be fetched`,
			`${reasons.join('. ')}.`,
		);
	}
	return { items: [{ json: { attachments: fetched.attachments }, binary: fetched.binary }] };
}

export const downloadAttachments: Operation = {
	operation: 'downloadAttachments',
	name: 'Download Attachments',
	action: 'Download attachments of a message',
	description: 'Download the files of a message into binary fields (attachment_0, …) for the next nodes',
	effect: 'none',
	fields: [
		{
			displayName: 'Attachments',
			name: 'attachments',
			type: 'json',
			default: '={{ $json.attachments }}',
			required: true,
			description: 'The attachments from an item of the trigger or of Message: Get Many',
		},
		optionsField([
			{
				displayName: MAX_SIZE_MB.label,
				name: MAX_SIZE_MB.name,
				type: 'number',
				default: DEFAULT_MAX_SIZE_MB,
				typeOptions: { minValue: 1 },
				description: 'The operation fails if a file is larger',
			},
			{
				displayName: MAX_COUNT.label,
				name: MAX_COUNT.name,
				type: 'number',
				default: DEFAULT_MAX_COUNT,
				typeOptions: { minValue: 1 },
				description: 'The operation fails if there are more files',
			},
		]),
	],
	plan: (parameters) => {
		const options = parameters.collection('options');
		const limits = {
			maxBytes: readNumber(options, MAX_SIZE_MB) * MEGABYTE,
			maxCount: readNumber(options, MAX_COUNT),
		};
		const attachments = readAttachments(parameters);
		return { kind: 'steps', run: async (context) => await downloadAll(attachments, limits, context) };
	},
};
