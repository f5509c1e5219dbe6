import { objectAt } from '../contract/open';

/**
 * Says in plain words why a webhook did not take what was posted to it, and what to do. Pure functions.
 */

/** What was posted: an activity of Dynamics 365 to the trigger, with or without a token, or a customer's message to a Webhook node. */
export type Posted = 'signedActivity' | 'unsignedActivity' | 'customerMessage';

/** The answer of a webhook. */
export interface WebhookAnswer {
	url: string;
	status: number;
	/** The beginning of the body. */
	body: string;
}

/** Reads JSON. @returns undefined for what is none */
export function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

const LONGEST_QUOTE = 300;

/** What the body says: n8n has a `message`, the templates have an `error`. */
function quoteOf(body: string): string {
	const { error, message } = objectAt(parseJson(body));
	const said = [error, message].find((one) => typeof one === 'string' && one !== '');
	return typeof said === 'string' ? ` It says: “${said.slice(0, LONGEST_QUOTE)}”` : '';
}

const isActivity = (posted: Posted) => posted !== 'customerMessage';

/** Source: docs/service-facts.md#n8n-unknown-webhooks. */
function explainNotFound({ url, body }: WebhookAnswer, posted: Posted): string {
	const { message } = objectAt(parseJson(body));
	const said = typeof message === 'string' ? message : '';
	if (/not registered for POST/i.test(said)) {
		return 'A workflow is listening at this URL, but not for POST. Set HTTP Method of its Webhook node to POST.';
	}
	const nobody = 'No workflow is listening at this URL';
	if (!/is not registered/i.test(said)) {
		return `${nobody}: what answers there (404) is not a webhook of n8n. Check the address.`;
	}
	if (/\/webhook-test\//.test(new URL(url).pathname)) {
		const button = isActivity(posted)
			? 'Listen for test event in the trigger'
			: 'Execute workflow in the editor';
		return `${nobody}. It is a test URL, which takes one call at a time: choose ${button}, then send again. Or publish the workflow, and use its production URL.`;
	}
	const node = isActivity(posted) ? 'trigger' : 'Webhook node';
	return `${nobody}. Publish the workflow (n8n 1.x: activate it), and check that this is the production URL of its ${node}.`;
}

function explainUnauthorized({ status, body }: WebhookAnswer, posted: Posted): string {
	switch (posted) {
		case 'signedActivity':
			return status === 401
				? 'The trigger rejected the token (401). Check Tenant ID and Client ID in the credential of the trigger; n8n’s log has the reason.'
				: `Whatever stands before the trigger refused the call (${status}).${quoteOf(body)}`;
		case 'unsignedActivity':
			return `The trigger rejected the call, as it had no token (${status}). Sign deliveries (“Break things”), and link a managed identity to the channel (Channel: Link Managed Identity).`;
		case 'customerMessage':
			return `The webhook asks for authentication (${status}). Type in the header of its Header Auth credential.`;
	}
}

function explainUnavailable({ body }: WebhookAnswer, posted: Posted): string {
	if (!isActivity(posted))
		return `The workflow did not begin (503). Send it again in a moment.${quoteOf(body)}`;
	return 'The trigger cannot take it now (503): n8n is starting, a try or an earlier delivery is still running, or the credential or the signing keys cannot be read. n8n’s log has the reason.';
}

/**
 * Explains why an answer means that what was posted was not taken.
 *
 * @returns one or two sentences, the second says what to do
 */
export function explainAnswer(answer: WebhookAnswer, posted: Posted): string {
	const { body, status } = answer;
	if (status >= 200 && status < 300) return `Answered ${status}: Dynamics 365 takes only 200 for a success.`;
	if (status >= 300 && status < 400) {
		return `The URL leads on to another one (${status}), which is not followed. Use the one that it leads to.`;
	}
	switch (status) {
		case 400:
			return isActivity(posted)
				? 'The trigger cannot read it as an activity (400). n8n’s log has the reason.'
				: `The workflow refused it (400).${quoteOf(body)}`;
		case 401:
		case 403:
			return explainUnauthorized(answer, posted);
		case 404:
			return explainNotFound(answer, posted);
		case 413:
			return 'It is too large for n8n (413): see N8N_PAYLOAD_SIZE_MAX.';
		case 429:
			return 'n8n, or a proxy before it, asks to wait (429). Send it again later.';
		case 500:
			return `The workflow failed (500). Its execution in n8n has the reason.${quoteOf(body)}`;
		case 503:
			return explainUnavailable(answer, posted);
		case 502:
		case 504:
			return `It was not done (${status}): the workflow says so, or a proxy that does not reach n8n.${quoteOf(body)}`;
		default:
			return `Answered ${status}.${quoteOf(body)}`;
	}
}

/** Node.js leaves the message empty when every address of a host refuses the connection, but always sets the code. */
export function describeError(error: unknown): string {
	const { code, message } = objectAt(error);
	return (
		[message, code].filter((said) => typeof said === 'string' && said !== '').map(String)[0] ?? String(error)
	);
}

/**
 * Explains why there was no answer.
 *
 * @param error of the connection
 * @returns one or two sentences, the second says what to do
 */
export function explainFailure(url: string, error: unknown): string {
	const { host, hostname, protocol } = new URL(url);
	const { code: given } = objectAt(error);
	const code = typeof given === 'string' ? given : '';
	if (code === 'ECONNREFUSED') return `Nothing listens at this URL (${host}). Is n8n running?`;
	if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
		return `No machine is named ${hostname}. Check the address.`;
	}
	if (code === 'ECONNRESET' || code === 'EPIPE') {
		return 'The connection was cut before an answer came. Was n8n stopped meanwhile?';
	}
	if (code === 'ETIMEDOUT' || code === 'EHOSTUNREACH' || code === 'ENETUNREACH') {
		return `This machine cannot reach ${host}. Check the address.`;
	}
	if (/CERT|UNABLE_TO_|SELF_SIGNED/.test(code)) return `The certificate of ${host} is not trusted (${code}).`;
	if (code === 'EPROTO' || code.startsWith('ERR_SSL') || code.startsWith('HPE_')) {
		const other = protocol === 'https:' ? 'http' : 'https';
		return `What listens at ${host} does not speak ${protocol.replace(':', '')}. Try the URL with ${other}://.`;
	}
	return describeError(error);
}

/** Explains that no answer came in time. @param limitMs milliseconds */
export function explainTimeout(limitMs: number, posted: Posted): string {
	const waited = `No answer within ${limitMs / 1000} s.`;
	return isActivity(posted)
		? `${waited} Dynamics 365 waits no longer: let the trigger respond immediately.`
		: `${waited} Look in n8n’s executions whether the workflow is still running.`;
}
