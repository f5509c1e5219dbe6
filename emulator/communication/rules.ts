import { isIP } from 'node:net';
import type { MessageContent, Template } from './contract';
import { CommunicationError, refusedByWhatsApp } from './errors';
import type { CommunicationTemplate } from './templates';
import { type CommunicationConversation, type DeliveryStrategy, isOnWhatsApp, isWindowOpen } from './threads';

const PRIVATE_IPV4 = /^(0|10|127|169\.254|172\.(1[6-9]|2\d|3[01])|192\.168)\./;
/** Loopback, link-local, unique local, and IPv4-mapped addresses. */
const PRIVATE_IPV6 = /^(::1?|fe[89ab].*|f[cd].*|::ffff:.*)$/i;

function isPublicHost(host: string): boolean {
	const name = host.replace(/^\[|\]$/g, '').toLowerCase();
	if (isIP(name) === 4) return !PRIVATE_IPV4.test(name);
	if (isIP(name) === 6) return !PRIVATE_IPV6.test(name);
	return name.includes('.') && !/\.(localhost|local|internal|home\.arpa)$/.test(name);
}

/** Whether the service could fetch a file. Only the URL decides, no request is sent; a URL with `unreachable` in it is not reachable. */
export function isReachable(uri: string): boolean {
	if (uri.includes('unreachable') || !URL.canParse(uri)) return false;
	const { hostname, protocol } = new URL(uri);
	return (protocol === 'https:' || protocol === 'http:') && isPublicHost(hostname);
}

/** Checks that every refValue names a value. That two values must not share a name is inferred. */
function checkBindings({ bindings, values = [] }: Template): void {
	const names = values.map(({ name }) => name);
	const refuse = (message: string) => {
		throw new CommunicationError('BadRequest', 'The template is not valid.', {
			target: 'request.template',
			innererror: { code: 'InvalidTemplate', message },
		});
	};
	const twice = names.find((name, index) => names.indexOf(name) !== index);
	if (twice !== undefined) refuse(`There are two values with the name '${twice}'.`);
	for (const part of ['header', 'body', 'footer', 'buttons'] as const) {
		for (const { refValue } of bindings?.[part] ?? []) {
			if (!names.includes(refValue)) {
				refuse(`The ${part} refers to '${refValue}', which is not among the values.`);
			}
		}
	}
}

function checkTemplate(sent: Template, templates: readonly CommunicationTemplate[]): void {
	checkBindings(sent);
	const isThere = templates.some(
		({ language, name, status }) => name === sent.name && language === sent.language && status === 'approved',
	);
	if (isThere) return;
	throw refusedByWhatsApp('request.template', 132_001, 'Template name does not exist in the translation');
}

/**
 * Checks WhatsApp's rules for a message. Their order is inferred.
 *
 * @param templates those of the conversation's channels
 * @param now milliseconds since 1970
 * @throws CommunicationError for the first rule that is broken
 */
export function checkContent(
	content: MessageContent,
	strategy: DeliveryStrategy,
	conversation: CommunicationConversation,
	templates: readonly CommunicationTemplate[],
	now: number,
): void {
	const template = content.kind === 'template' ? content.template : undefined;
	if (template) checkTemplate(template, templates);
	const files = [
		...('mediaUri' in content ? [content.mediaUri] : []),
		...(template?.values ?? []).flatMap((value) => ('url' in value ? [value.url] : [])),
	];
	if (!files.every(isReachable)) {
		const target = template ? 'request.template' : 'request.mediaUri';
		throw refusedByWhatsApp(target, 131_053, 'Media upload error');
	}
	const isForWhatsApp = strategy === 'allParticipants' && conversation.participants.some(isOnWhatsApp);
	if (content.kind !== 'template' && isForWhatsApp && !isWindowOpen(conversation, now)) {
		throw refusedByWhatsApp('request', 131_047, 'Re-engagement message');
	}
}
