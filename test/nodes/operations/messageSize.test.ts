import { checkMessageSize } from '../../../nodes/Dynamics365Messaging/operations/messageSize';
import { EmbeddedFile } from '../../../nodes/shared/transport/requestBody';

const LONG = 'A'.repeat(40_000);
const message = (contentUrl: unknown, more: object = {}) => ({
	type: 'message',
	text: 'Hello',
	attachments: [{ contentType: 'image/jpeg', name: 'a.jpg', contentUrl, ...more }],
});

test.each<[string, object, boolean]>([
	['a data URI in base64', message(`data:image/jpeg;base64,${LONG}`), true],
	['a data URI of text', message(`data:text/plain,${LONG}`), true],
	['bare base64', message(LONG), true],
	[
		'a file that is read when it is sent',
		message(new EmbeddedFile(async () => await Promise.resolve(Buffer.alloc(0)), LONG)),
		true,
	],
	['a file beside a long name', message(LONG, { name: LONG }), false],
	['a long https URL', message(`https://files.example.com/${LONG}`), false],
	['a long ftp URL', message(`ftp://files.example.com/${LONG}`), false],
	['a long blob URL', message(`blob:https://example.com/${LONG}`), false],
	['a long text that is no base64', message(`${LONG}!`), false],
	['a list in the place of a URL', message([LONG]), false],
	['a value of an event that is called contentUrl', { channelData: { value: { contentUrl: LONG } } }, false],
	['attachments within the value of an event', { channelData: message(LONG) }, false],
	['attachments that are no list', { attachments: { contentUrl: LONG } }, false],
	['an entry that is no object', { attachments: [null, LONG] }, false],
])('%s is left out of the size or not', (_, body, isLeftOut) => {
	const check = () => checkMessageSize(body, 'The message', 'Send less.');
	if (isLeftOut) expect(check).not.toThrow();
	else expect(check).toThrow('The message is larger than 28 KB in total');
});
