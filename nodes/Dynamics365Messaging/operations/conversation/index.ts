import type { Resource } from '../operation';
import { create } from './create';
import { end } from './end';
import { get } from './get';
import { getContext } from './getContext';
import { getMany } from './getMany';
import { getTranscript } from './getTranscript';
import { sendOrStart } from './sendOrStart';

export const conversation: Resource = {
	name: 'Conversation',
	value: 'conversation',
	firstOperation: 'sendOrStart',
	// What most people come for stands first; the others are in the order of their names.
	operations: [sendOrStart, create, end, get, getContext, getMany, getTranscript],
};
