import type { IWebhookFunctions } from 'n8n-workflow';
import type { TriggerItem } from '../activity/items';
import { NotAnActivity, readActivity } from '../activity/read';
import { inexactNumberIn, parseJson, readKey, textOf, type Json } from '../../shared/json';
import { checkBodyLimits } from './bodyLimits';
import { TokenRejected } from './verify';

/** Node.js keeps only the first of several Authorization headers. No honest caller sends more than one. */
export function authorizationOf(context: IWebhookFunctions): string | undefined {
	const { rawHeaders, headers } = context.getRequestObject();
	const sent = rawHeaders.filter(
		(name, index) => index % 2 === 0 && name.toLowerCase() === 'authorization',
	).length;
	if (sent > 1) throw new TokenRejected('several Authorization headers');
	return headers.authorization;
}

/**
 * The body, within its limits. A number that JavaScript cannot hold is a text of its digits, which are read from the bytes
 * that n8n keeps: what n8n has parsed has lost them.
 * @throws NotAnActivity where the limits are exceeded.
 */
function bodyOf(request: ReturnType<IWebhookFunctions['getRequestObject']>): Json | undefined {
	const body = request.body as Json | undefined;
	checkBodyLimits(body);
	if (!Buffer.isBuffer(request.rawBody)) return body;
	const text = request.rawBody.toString(request.encoding);
	return inexactNumberIn(text) === undefined ? body : (parseJson(text) ?? body);
}

/**
 * Reads what a delivery says.
 * @throws NotAnActivity with the HTTP status of the answer, where it is none.
 */
export function readDelivery(context: IWebhookFunctions): TriggerItem {
	const request = context.getRequestObject();
	if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')) {
		throw new NotAnActivity('The content type is not JSON', 415);
	}
	const conversationId = textOf(readKey(context.getParamsData(), 'conversationId'));
	if (!conversationId) throw new NotAnActivity('The path names no conversation', 404);
	return readActivity(bodyOf(request), conversationId, new Date().toISOString());
}
