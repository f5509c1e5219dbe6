import { DEFAULT_WORLD } from '../emulator/world';
import { leaksIn } from './support/leaks';

const { clientSecret, communicationAccessKey, communicationUserToken } = DEFAULT_WORLD;
const secrets = ['hunter2', clientSecret, communicationAccessKey, communicationUserToken];
const everyByte = (text: string) => text.replace(/[^]/g, (one) => `%${one.charCodeAt(0).toString(16)}`);

test.each<[string, (secret: string) => string]>([
	['as it is', (secret) => `it was ${secret}.`],
	['percent-encoded', (secret) => `secret=${encodeURIComponent(secret)}&x`],
	['with each byte percent-encoded', (secret) => `secret=${everyByte(secret)}&x`],
	['in base64', (secret) => `Basic ${Buffer.from(secret).toString('base64')}`],
	['in base64, behind one byte', (secret) => Buffer.from(`:${secret}:x`).toString('base64')],
	['in base64, behind two bytes', (secret) => Buffer.from(`ü${secret}`).toString('base64')],
	['in base64 for URLs', (secret) => Buffer.from(`{"s":"${secret}"}`).toString('base64url')],
	['in percent-encoded base64', (secret) => everyByte(Buffer.from(`app:${secret}`).toString('base64'))],
])('a secret %s is found by the test for leaks', (_, form) => {
	for (const secret of secrets) expect(leaksIn(form(secret))).not.toEqual([]);
});

test.each([
	'',
	'emulator',
	'ZW11bGF0b3I=',
	'100 % of it, %zz',
	'eyJ',
	'Signature=',
	'the PRIVATE KEY is missing',
])('%p is no secret', (text) => expect(leaksIn(text)).toEqual([]));
