import { isRecord, nonEmptyText, readKey, type Json } from '../../../shared/json';
import type { Button } from '../items';
import { textAt, typeOf } from './fields';
import { MAX_VALUE } from './reading';

/** Actions that lead somewhere: their value, or `url`, is an address. */
const LINKS = new Set([
	'openurl',
	'openapp',
	'signin',
	'call',
	'playaudio',
	'playvideo',
	'showimage',
	'downloadfile',
	'action.openurl',
	'action.openurldialog',
]);
/** Actions that change the card on the screen. They say nothing to the sender. */
const ON_SCREEN = new Set(['action.showcard', 'action.togglevisibility', 'action.resetinputs']);
/** What an address must not begin with, as a page that shows it would run it or read a file. */
const UNSAFE = new Set(['javascript:', 'vbscript:', 'data:', 'blob:', 'file:']);

function addressOf(action: Json): string | null {
	const address = (textAt(action, 'url') ?? textAt(action, 'value'))?.trim();
	if (address === undefined || address.length > MAX_VALUE) return null;
	return URL.canParse(address) && UNSAFE.has(new URL(address).protocol) ? null : address;
}

/** The text by which a choice is said. Where an action has data and no text, it is what the button says. */
function valueOf(action: Json, type: string): string | null {
	if (type.startsWith('action.')) return textAt(action, 'data');
	const value = textAt(action, 'value');
	const text = textAt(action, 'text');
	return type === 'messageback' ? (text ?? value) : (value ?? text);
}

/**
 * Reads a card action of Bot Framework, an action of an adaptive card, or a text that stands for one. Pure.
 * Source: docs/service-facts.md#card-actions.
 * @returns null for an action that only changes the card, leads nowhere, or says nothing.
 */
export function buttonOf(action: Json | undefined): Button | null {
	const asText = nonEmptyText(action);
	if (asText !== null) return { title: asText, value: asText, type: null, url: null };
	if (!isRecord(action)) return null;
	const type = typeOf(action);
	if (ON_SCREEN.has(type) || readKey(action, 'isEnabled') === false) return null;
	const written = textAt(action, 'title');
	const kind = textAt(action, 'type');
	if (LINKS.has(type)) {
		const url = addressOf(action);
		return url === null ? null : { title: written ?? url, value: null, type: kind, url };
	}
	const value = valueOf(action, type);
	const title = written ?? textAt(action, 'displayText') ?? value;
	return title === null ? null : { title, value: value ?? title.trim(), type: kind, url: null };
}
