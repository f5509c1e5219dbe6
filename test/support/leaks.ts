import { inspect } from 'node:util';
import { DEFAULT_WORLD } from '../../emulator/world';

/**
 * Looks through every error, log line and output of the whole suite for a secret, a key or a token. Errors are seen when
 * they are made. The support files pass on what workflows return, answer and log.
 */
const SECRETS: Array<[string, RegExp]> = [
	['a client secret', new RegExp(`${DEFAULT_WORLD.clientSecret}|expired-secret|hunter2`)],
	['an access key', new RegExp(DEFAULT_WORLD.communicationAccessKey)],
	['a user access token', new RegExp(DEFAULT_WORLD.communicationUserToken)],
	['a signature', /\bSignature=[\w+/]{20,}/],
	['a token', /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\./],
	['a bearer header', /bearer\s+(eyJ|[\w-]{30,})/i],
	['a private key', /-----BEGIN [A-Z ]*PRIVATE KEY-----\s*[A-Za-z0-9+/]{20}|\bMII[A-Za-z0-9+/]{60,}/],
];

/** Deep enough for an error in an error's cause in a run's data; whole texts, as a token may stand at their end. */
const DEPTH = { depth: 12, maxStringLength: Infinity, maxArrayLength: Infinity };

const errors: Error[] = [];
const found: string[] = [];

/** Searches a value that a person may see or that may be logged. */
export function look(where: string, value: unknown): void {
	const text = typeof value === 'string' ? value : inspect(value, DEPTH);
	for (const [what, pattern] of SECRETS) {
		const match = pattern.exec(text);
		if (match)
			found.push(`${what} in ${where}: …${text.slice(Math.max(0, match.index - 80), match.index + 20)}…`);
	}
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
