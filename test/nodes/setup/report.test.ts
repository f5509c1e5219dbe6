import type { NamedResult } from '../../../nodes/Dynamics365Messaging/setup/check';
import { reportOf } from '../../../nodes/Dynamics365Messaging/setup/report';

const row = (check: NamedResult['check'], status: NamedResult['status']): NamedResult => ({
	check,
	status,
	detail: '',
	fix: 'Do this.',
});

test.each<[string, NamedResult[], string]>([
	['all passed', [row('credential', 'ok'), row('clock', 'ok')], 'All 2 checks passed'],
	[
		'one was not made',
		[row('credential', 'ok'), row('clock', 'skipped')],
		'1 check passed, 1 could not be made',
	],
	[
		'one needs a look',
		[row('credential', 'warning'), row('clock', 'ok')],
		'1 of 2 checks needs a look: Credential',
	],
	['one failed', [row('credential', 'failed'), row('clock', 'skipped')], '1 of 1 check failed: Credential'],
])('the summary says what is so: %s', (_, results, title) => {
	expect(reportOf(results, false)[0]).toMatchObject({ check: 'summary', title });
});
