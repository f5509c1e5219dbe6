import type { CheckName, CheckResult, NamedResult } from './check';

/** What a person calls each check. */
const TITLES: Record<CheckName, string> = {
	credential: 'Credential',
	messagingToken: 'Token for the Messaging API',
	messagingHost: 'Host of the Messaging API',
	dataverseToken: 'Token for Dataverse',
	dataverseRole: 'Security role in Dataverse',
	channelRecord: 'Channel record',
	channelType: 'Channel type',
	channelApp: 'App ID of the channel',
	channelTenant: 'Tenant ID of the channel',
	workstream: 'Workstream',
	channelAccepted: 'Access to the channel',
	webhookUrl: 'Webhook URL',
	activeTrigger: 'Active trigger',
	managedIdentity: 'Managed identity',
	applicationIdUri: 'Application ID URI',
	federatedSubject: 'Federated credential',
	availabilityRole: 'Role for availability',
	clock: 'Clock',
};

/** A row of the report: what a person needs first comes first. */
export interface ReportRow extends CheckResult {
	title: string;
	/** The check's name, for a workflow to look it up by. */
	check: CheckName | 'summary';
}

type Status = CheckResult['status'];

/** The order of the rows below the summary. */
const ORDER: readonly Status[] = ['failed', 'warning', 'ok', 'skipped'];

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;

/**
 * Says in one row how the checks came out, and with which one to begin.
 * @param includesSkipped whether the checks that could not be made are among the rows below it.
 */
function summaryOf(rows: readonly ReportRow[], includesSkipped: boolean): ReportRow {
	const of = (status: Status) => rows.filter((row) => row.status === status);
	const [failed, warned, skipped] = [of('failed'), of('warning'), of('skipped')];
	const made = rows.length - skipped.length;
	const [status, found, verb] =
		failed.length > 0
			? (['failed', failed, 'failed'] as const)
			: (['warning', warned, warned.length === 1 ? 'needs a look' : 'need a look'] as const);
	const passed = `${made - failed.length - warned.length} passed`;
	const notMade =
		skipped.length === 0
			? ''
			: `. ${counted(skipped.length, 'check')} could not be made (${skipped.map(({ title }) => title).join(', ')}): ${includesSkipped ? 'see the end' : 'the option Include Skipped Checks says why'}`;
	const detail = `${failed.length} failed, ${warned.length} to look at, ${passed}${notMade}`;
	const [first] = found;
	if (!first) {
		return {
			title:
				skipped.length === 0
					? `All ${counted(made, 'check')} passed`
					: `${counted(made, 'check')} passed, ${skipped.length} could not be made`,
			fix: 'None needed',
			status: 'ok',
			detail,
			check: 'summary',
		};
	}
	return {
		title: `${found.length} of ${counted(made, 'check')} ${verb}: ${found.map(({ title }) => title).join(', ')}`,
		fix: `Start with ${first.title}. ${first.fix}`,
		status,
		detail,
		check: 'summary',
	};
}

/**
 * Makes the rows that a person reads: a summary, what failed, the warnings, what passed. What should be done stands in the
 * second column. Pure.
 * @param results in the order of the chain, which stays within each part.
 * @param includeSkipped whether the checks that could not be made come at the end.
 */
export function reportOf(results: readonly NamedResult[], includeSkipped: boolean): ReportRow[] {
	const rows = results.map(({ check, status, detail, fix }): ReportRow => ({
		title: TITLES[check],
		fix,
		status,
		detail,
		check,
	}));
	const shown = ORDER.filter((status) => includeSkipped || status !== 'skipped');
	return [
		summaryOf(rows, includeSkipped),
		...shown.flatMap((status) => rows.filter((row) => row.status === status)),
	];
}
