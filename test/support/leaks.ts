import { inspect } from 'node:util';
import { DEFAULT_WORLD } from '../../emulator/world';

/** Secrets that the tests use beside those of the emulator's world. */
const KNOWN = [
	DEFAULT_WORLD.clientSecret,
	'expired-secret',
	'hunter2',
	DEFAULT_WORLD.communicationAccessKey,
	DEFAULT_WORLD.communicationUserToken,
];

/** How a text looks within base64, which depends on how many bytes are before it. In either alphabet. */
function base64Forms(text: string): string[] {
	return [0, 1, 2].map((before) => {
		const encoded = Buffer.from('\0'.repeat(before) + text).toString('base64');
		const whole = encoded.slice(Math.ceil((before * 4) / 3), Math.floor(((before + text.length) * 4) / 3));
		return whole.replaceAll('+', '[+-]').replaceAll('/', '[/_]');
	});
}

/** What tokens, keys and signatures begin with. */
const BEGINNINGS = ['eyJhbGciOi', 'eyJ0eXAiOi', ' PRIVATE KEY-----', 'Signature='];
const IN_BASE64 = new RegExp([...KNOWN, ...BEGINNINGS].flatMap(base64Forms).join('|'));

/** Undoes percent-encoding, once. */
function percentDecoded(text: string): string {
	return text.replace(/(?:%[0-9a-f]{2})+/gi, (run) =>
		Buffer.from(run.replaceAll('%', ''), 'hex').toString('latin1'),
	);
}

/**
 * Looks through every error, log line and output of the whole suite for a secret, a key or a token. Errors are seen when
 * they are made. The support files pass on what workflows return, answer and log.
 */
const SECRETS: Array<[string, RegExp]> = [
	['a known secret', new RegExp(KNOWN.join('|'))],
	['a secret in base64', IN_BASE64],
	['a signature', /\bSignature=[\w+/]{20,}/],
	['a token', /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\./],
	['a bearer header', /bearer\s+(eyJ|[\w-]{30,})/i],
	['a private key', /-----BEGIN [A-Z ]*PRIVATE KEY-----\s*[A-Za-z0-9+/]{20}|\bMII[A-Za-z0-9+/]{60,}/],
];

/** Deep enough for an error in an error's cause in a run's data; whole texts, as a token may stand at their end. */
const DEPTH = { depth: 12, maxStringLength: Infinity, maxArrayLength: Infinity };

const errors: Error[] = [];
const found: string[] = [];

/** The secrets in a text, in any form that a service or a library may give them. Pure. */
export function leaksIn(written: string): string[] {
	return [...new Set([written, percentDecoded(written)])].flatMap((text) =>
		SECRETS.flatMap(([what, pattern]) => {
			const match = pattern.exec(text);
			return match ? [`${what}: …${text.slice(Math.max(0, match.index - 80), match.index + 20)}…`] : [];
		}),
	);
}

/** Searches a value that a person may see or that may be logged. */
export function look(where: string, value: unknown): void {
	const leaks = leaksIn(typeof value === 'string' ? value : inspect(value, DEPTH));
	found.push(...leaks.map((leak) => `in ${where}, ${leak}`));
}

/** Records every error of a class when it is created, with or without `new`. */
function watched<E extends ErrorConstructor | typeof TypeError>(kind: E): E {
	const note = (error: Error) => {
		errors.push(error);
		return error;
	};
	return new Proxy(kind, {
		construct: (target, given, newTarget) => note(Reflect.construct(target, given, newTarget) as Error),
		apply: (target, self, given) => note(Reflect.apply(target, self, given) as Error),
	});
}

globalThis.Error = watched(globalThis.Error);
globalThis.TypeError = watched(globalThis.TypeError);
globalThis.RangeError = watched(globalThis.RangeError);
globalThis.SyntaxError = watched(globalThis.SyntaxError);

for (const level of ['debug', 'info', 'log', 'warn', 'error'] as const) {
	const write = console[level].bind(console);
	console[level] = (...given: unknown[]) => {
		look(`console.${level}`, given);
		write(...given);
	};
}

// At the end of a test, as subclasses fill their fields after the error was made.
afterEach(() => {
	for (const error of errors.splice(0)) look('an error', error);
	expect(found.splice(0)).toEqual([]);
});
