import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { DateTime } from 'luxon';
import { toIso } from '../../../nodes/shared/action/time';

const cases: Array<[unknown, string | undefined]> = [
	['2026-01-31T10:00:00', '2026-01-31T09:00:00.000Z'],
	['2026-01-31T10:00:00.000+05:30', '2026-01-31T04:30:00.000Z'],
	['2026-01-31T10:00:00.123-0500', '2026-01-31T15:00:00.123Z'],
	['2026-01-31T10:00:00Z', '2026-01-31T10:00:00.000Z'],
	['20260131T100000Z', '2026-01-31T10:00:00.000Z'],
	['2026-01-31', '2026-01-30T23:00:00.000Z'],
	['2026-01-31 10:00:00', '2026-01-31T09:00:00.000Z'],
	['2026-01-31 10:00:00+02', '2026-01-31T08:00:00.000Z'],
	['Sat, 31 Jan 2026 10:00:00 GMT', '2026-01-31T10:00:00.000Z'],
	['Sat, 31 Jan 2026 10:00:00 +0100', '2026-01-31T09:00:00.000Z'],
	[' 2026-07-31T10:00:00 ', '2026-07-31T08:00:00.000Z'],
	['1769853600000', '2026-01-31T10:00:00.000Z'],
	[1769853600000, '2026-01-31T10:00:00.000Z'],
	[1769853600, '2026-01-31T10:00:00.000Z'],
	// What only JavaScript reads is in the time zone of the workflow, too.
	['01/31/2026', '2026-01-30T23:00:00.000Z'],
	['1/31/2026 9:05 PM', '2026-01-31T20:05:00.000Z'],
	['07/31/2026 10:00', '2026-07-31T08:00:00.000Z'],
	['2026/01/31', '2026-01-30T23:00:00.000Z'],
	['2026-01-31 9:00', '2026-01-31T08:00:00.000Z'],
	['2026-1-5', '2026-01-04T23:00:00.000Z'],
	['Jan 31, 2026', '2026-01-30T23:00:00.000Z'],
	['31 January 2026 10:00', '2026-01-31T09:00:00.000Z'],
	['Jan 31 2026 10:00+0200', '2026-01-31T08:00:00.000Z'],
	['01/31/2026 09:00 EST', '2026-01-31T14:00:00.000Z'],
	['Sat Jan 31 2026 10:00:00 GMT+0100 (Central European Standard Time)', '2026-01-31T09:00:00.000Z'],
	['01/31/2026 9:00 PM EST', '2026-02-01T02:00:00.000Z'],
	['1/31/2026, 9:00:00 PM UTC', '2026-01-31T21:00:00.000Z'],
	['01/31/2026 9:00 PM -0500', '2026-02-01T02:00:00.000Z'],
	['1/31/2026, 9:00:00 AM GMT+1', '2026-01-31T08:00:00.000Z'],
	['2026-01-31 09:00 GMT-3', '2026-01-31T12:00:00.000Z'],
	['2026-01-31 09:00 +2', '2026-01-31T07:00:00.000Z'],
	['01/31/2026 9:00 est', '2026-01-31T14:00:00.000Z'],
	['2026-01-31T09:00:00z', '2026-01-31T09:00:00.000Z'],
	['2026-01-31T09:00:00-05', '2026-01-31T14:00:00.000Z'],
	['05.03.2026 10:00', '2026-03-05T09:00:00.000Z'],
	['31.01.2026', '2026-01-30T23:00:00.000Z'],
	['30.02.2026', undefined],
	['2026-01-31 09:00 (office)', undefined],
	['01/31/2026 09:00 XYZ', undefined],
	['2026-01-31T09:00:00+99:00', undefined],
	['01/31/2026 9:00 EST+1', undefined],
	// Days that do not exist.
	['2026-02-30', undefined],
	['2026-02-29', undefined],
	['2028-02-29', '2028-02-28T23:00:00.000Z'],
	['2026-02-30T10:00', undefined],
	['2026-02-30T10:00Z', undefined],
	['02/30/2026', undefined],
	['2/30/2026 3:00', undefined],
	['Feb 30 2026', undefined],
	['Feb 30 2026 10:00 GMT', undefined],
	['31/01/2026', undefined],
	// Too little to be a day.
	['5', undefined],
	[5, undefined],
	['12345', undefined],
	['1/2/26', undefined],
	['May 5', undefined],
	['5 2026', undefined],
	['yesterday-ish', undefined],
	['1234', undefined],
	['7000', undefined],
	['Order 5 3 2026', undefined],
	['abc 2026-01-31', undefined],
	[[2026, 1, 31], undefined],
	[9n, undefined],
	['', undefined],
	[{}, undefined],
	[true, undefined],
	[new Date(NaN), undefined],
];

test.each(cases)('the start time %p is %p', (given, iso) =>
	expect(toIso(given, 'Europe/Amsterdam')).toBe(iso),
);

test('a date and a Luxon time keep their own zone', () => {
	expect(toIso(new Date('2026-01-31T10:00:00Z'), 'Europe/Amsterdam')).toBe('2026-01-31T10:00:00.000Z');
	const inTokyo = DateTime.fromISO('2026-01-31T10:00:00', { zone: 'Asia/Tokyo' });
	expect(toIso(inTokyo, 'Europe/Amsterdam')).toBe('2026-01-31T01:00:00.000Z');
});

test.each(['UTC', 'America/New_York', 'Pacific/Auckland'])('so it is where the process is in %s', (zone) => {
	const texts = cases.filter(([given]) => typeof given === 'string');
	const script = `
		const { toIso } = require(${JSON.stringify(join(__dirname, '../../../nodes/shared/action/time.ts'))});
		process.stdout.write(JSON.stringify(${JSON.stringify(texts.map(([given]) => given))}.map((text) => toIso(text, 'Europe/Amsterdam') ?? null)));
	`;
	const output = execFileSync(process.execPath, ['--import', 'tsx', '-e', script], {
		env: { ...process.env, TZ: zone },
		encoding: 'utf8',
	});
	expect(JSON.parse(output)).toEqual(texts.map(([, iso]) => iso ?? null));
});
