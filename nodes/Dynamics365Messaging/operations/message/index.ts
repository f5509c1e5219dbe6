import type { Resource } from '../operation';
import { downloadAttachments } from './downloadAttachments';
import { getMany } from './getMany';
import { markAsRead } from './markAsRead';
import { send } from './send';
import { sendTyping } from './sendTyping';

export const message: Resource = {
	name: 'Message',
	value: 'message',
	firstOperation: 'send',
	operations: [downloadAttachments, getMany, markAsRead, send, sendTyping],
};
