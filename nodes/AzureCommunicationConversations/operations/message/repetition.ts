import { createHash } from 'node:crypto';
import type { INodeProperties } from 'n8n-workflow';
import { stringField } from '../../../shared/action/fields/text';
import type { ParameterReader } from '../../../shared/action/parameters';
import { InputError } from '../../../shared/transport/errors';
import type { Repetition } from '../../api/request';

/** The options by which the service recognises a message that another run has sent before. */
export const repetitionFields: INodeProperties[] = [
	{
		displayName: 'First Sent',
		name: 'firstSent',
		type: 'dateTime',
		default: '',
		description:
			'When this message was first sent, within the last 24 hours. Give the same time at every try. A time without an offset is in the workflow’s time zone.',
	},
	stringField(
		'repetitionId',
		'Repetition ID',
		'Your own ID of this message, such as an order number. Give the same ID at every try, and another one for every other message. With First Sent, the message is delivered once, even if another run has sent it before.',
	),
];

/** Makes a GUID of a text: the same for the same text. Its version, 8, is the one for GUIDs of an own making. */
function guidOf(text: string): string {
	const hex = createHash('sha256').update(text).digest('hex');
	return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/**
 * Reads the two options; undefined where neither is set. Source: docs/service-facts.md#acs-repeatability.
 * @param scope what the ID belongs to: the same ID elsewhere is another message.
 * @throws InputError where only one of them is set.
 */
export function readRepetition(options: ParameterReader, scope: string): Repetition | undefined {
	const id = options.id('repetitionId', 'Repetition ID');
	const firstSent = options.time('firstSent', 'First Sent');
	if (id === '' && firstSent === '') return undefined;
	if (id === '' || firstSent === '') {
		throw new InputError(
			'Repetition ID and First Sent belong together, and one of them is empty',
			'The service recognises a repeated message by both. Give both, or neither.',
		);
	}
	return { id: guidOf(`${scope}\n${id}`), firstSent: new Date(firstSent) };
}
