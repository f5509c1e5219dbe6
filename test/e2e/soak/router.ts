// Everything at once on one channel: customers of a front end, representatives, nights and ends, with the workflows behind the
// router as they are. What holds for each of them alone holds here, too.
import type { Filling } from '../../../tools/n8n/templates';
import { inProduction } from '../templates/channel';
import { withTables } from '../templates/database';
import { type Json, startHttpStub } from '../templates/httpStub';
import { behindRouter, publishBehindRouter } from '../templates/router';
import { startSmtpStub } from '../templates/smtpStub';
import { checkArchives } from './archive-on-close';
import {
	checkAnswers,
	checkCustomers,
	NOT_SHOWN,
	type Written,
	writeToChannel,
} from './bring-your-own-channel';
import { checkTickets, type Told } from './out-of-hours';
import { closeDatabase, represent } from './people';
import type { Checks, Soak } from './soak';

const CUSTOMERS = 5;

export async function play(soak: Soak): Promise<Checks> {
	const { setup } = soak;
	const { availability, transcripts } = setup.emulator.settings;
	const smtp = await startSmtpStub();
	const mailsOf = (id: string) => smtp.mails.filter(({ headers }) => headers.subject?.includes(id));
	const shown: Json[] = [];
	const told: Told[] = [];
	const app = await startHttpStub<Told & Json>(({ path, body }) => {
		if (soak.isOn && soak.chance(0.04)) return { status: 503 };
		if (path === '/hours') told.push({ ...body, mails: mailsOf(body.conversationId).length });
		else shown.push(body);
		return { body: Buffer.from(soak.pick(['OK', '[]', '', '{}'])), contentType: 'application/json' };
	});
	Object.assign(availability, { isOpen: false });
	Object.assign(transcripts, { delayMs: 1_000 });
	try {
		return await withTables(setup, 'soak-router', async (tables) => {
			const behind = await behindRouter(setup, { tables, app, smtp }, { notShown: NOT_SHOWN });
			const { credentials, headers } = behind;
			const filling: Filling = { credentials };
			const written = new Map<string, Written[]>();
			const spoken = new Map<string, string[]>();
			const choose = await publishBehindRouter(setup, behind);
			return await inProduction(setup, 'bring-your-own-channel', filling, async ({ urlOf }) => {
				const path = new URL(urlOf('When a customer writes')).pathname;
				const customer = (customerId: string) => async () => {
					const mine: Written[] = [];
					written.set(customerId, mine);
					await writeToChannel(soak, customerId, mine, { path, headers });
				};
				const moody = async () => {
					while (soak.isOn) {
						smtp.refuses = soak.chance(0.2);
						await soak.pause(3_000, 6_000);
					}
					smtp.refuses = false;
				};
				return await inProduction(setup, 'router', { credentials, set: choose }, async () => {
					await soak.run(
						[
							...Array.from({ length: CUSTOMERS }, (_, index) => customer(`customer-${index}`)),
							() => represent(soak, spoken, { ends: 0.08, nights: 0.3 }),
							moody,
							() => closeDatabase(soak, tables.allowConnections),
						],
						{ isScheduled: true },
					);
					return {
						...checkCustomers(soak, written),
						...checkAnswers(soak, spoken, shown),
						...(await checkArchives(soak, tables.database)),
						...(await checkTickets(soak, tables.database, mailsOf, told)),
					};
				});
			});
		});
	} finally {
		await Promise.all([app.close(), smtp.close()]);
	}
}
