// The lines of messages in PostgreSQL that the templates stand on (templates/tables.json): each message once and in order,
// also with the same ID at the same moment, with runs that die, and with clients that are gone while they wait.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Database, servicesFrom } from '../../bench/queue/services';
import { runQueryOf } from '../../tools/n8n/templates';
import { report, runMain } from '../../tools/report';
import { waitFor } from '../../tools/wait';

interface Turn {
	turn: 'yours' | 'again' | 'done' | 'busy';
	message_id: string;
	number: string | null;
	result: unknown;
}

interface Wish {
	line: string;
	id?: string;
	place?: number;
	content?: string;
	run?: string;
	lease?: string;
	patience?: string;
	/** How long ago it was sent, milliseconds. */
	age?: number;
}

class Lines {
	constructor(private readonly database: Database) {}

	async take(wish: Wish): Promise<Turn & { run: string }> {
		const {
			line,
			id = null,
			place = 1,
			content = null,
			run = randomUUID(),
			lease = '30 s',
			patience = '10 s',
			age,
		} = wish;
		const rows = await this.database.rows<Turn>(
			'CALL dynamics365.take_turn($1, $2, $3, $4, $5, $6, $7, $8)',
			[line, id, place, content, run, lease, patience, age === undefined ? null : Date.now() - age],
		);
		if (!rows[0]) throw new Error('take_turn gave no row');
		return { ...rows[0], run };
	}

	async end(line: string, run: string, result: object = {}): Promise<boolean> {
		return (await this.call('end_turn($1, $2, $3)', line, run, JSON.stringify(result))) === 1;
	}

	async giveBack(line: string, run: string): Promise<boolean> {
		return (await this.call('give_turn_back($1, $2)', line, run)) === 1;
	}

	async leave(line: string, run: string): Promise<boolean> {
		return (await this.call('leave_turn($1, $2)', line, run)) === 1;
	}

	private async call(call: string, ...values: string[]): Promise<number> {
		return (await this.database.rows(`SELECT * FROM dynamics365.${call}`, values)).length;
	}
}

type Checks = Record<string, boolean>;

async function checkOrder(lines: Lines): Promise<Checks> {
	const said: number[] = [];
	const started = performance.now();
	// The last one comes first, as runs of n8n overtake one another.
	await Promise.all(
		[5, 4, 3, 2, 1].map(async (place) => {
			const { turn, run } = await lines.take({ line: 'order', id: `m${place}`, place });
			if (turn === 'yours') said.push(place);
			await lines.end('order', run);
		}),
	);
	const took = performance.now() - started;
	// A slow n8n: the second one comes 900 ms after it was sent, and the first one needs half a second more.
	const late: string[] = [];
	await Promise.all(
		[
			{ id: 'm2', place: 2, age: 900 },
			{ id: 'm1', place: 1, age: 1_500 },
		].map(async (wish, index) => {
			await sleep(500 * index);
			const { run } = await lines.take({ line: 'late', ...wish });
			late.push(wish.id);
			await lines.end('late', run);
		}),
	);
	const timeFor = async (id: string, age: number) => {
		const from = performance.now();
		await lines.end(id, (await lines.take({ line: id, id, age })).run);
		return performance.now() - from;
	};
	const [later, again, future] = await Promise.all([
		timeFor('later', 9_000),
		timeFor('sent again', 60_000),
		timeFor('future', -60_000),
	]);
	const other = await lines.take({ line: 'other', id: 'm1' });
	const blocked = lines.take({ line: 'other', id: 'm2' });
	const beside = await lines.take({ line: 'beside', id: 'm1' });
	const busy = await lines.take({ line: 'other', id: 'm3', place: 2, patience: '400 ms' });
	await lines.end('other', other.run);
	return {
		'what comes at about the same time is sorted by its place': said.join() === '1,2,3,4,5',
		'and waits a quarter of a second for it': took >= 250,
		'the later it comes, the longer it waits': late.join() === 'm1,m2',
		'two seconds at most': later >= 2_000 && later < 5_000,
		'and not where it was sent again, or by a wrong clock': again < 1_500 && future < 1_500,
		'lines do not wait for one another': beside.turn === 'yours',
		'a run that has waited long enough is told that the line is busy': busy.turn === 'busy',
		'the next one goes on where a turn ends': (await blocked).turn === 'yours',
	};
}

async function checkOnce(lines: Lines): Promise<Checks> {
	const line = 'once';
	const same = await Promise.all(
		Array.from({ length: 10 }, async () => {
			const turn = await lines.take({ line, id: 'm1' });
			if (turn.turn === 'yours') await lines.end(line, turn.run, { messageId: '17' });
			return turn;
		}),
	);
	const notSent = await lines.take({ line, id: 'm2' });
	await lines.giveBack(line, notSent.run);
	const next = await lines.take({ line, id: 'm3', place: 2, patience: '1 s' });
	await lines.end(line, next.run);
	const anew = await lines.take({ line, id: 'm2' });
	const uncertain = await lines.leave(line, anew.run);
	const again = await lines.take({ line, id: 'm2' });
	await lines.end(line, again.run);
	const sameRun = await lines.take({ line, id: 'm4', run: 'r' });
	const repeated = await lines.take({ line, id: 'm4', run: 'r' });
	await lines.end(line, 'r');
	const results = same.map(({ result }) => JSON.stringify(result));
	return {
		'the same ID ten times at the same moment is one turn':
			same.filter(({ turn }) => turn === 'yours').length === 1 &&
			same.filter(({ turn }) => turn === 'done').length === 9,
		'the others get its result': results.filter((one) => one === '{"messageId":"17"}').length === 9,
		'what was given back holds up nobody': next.turn === 'yours',
		'and may be tried anew, under the same number': anew.turn === 'yours' && anew.number === notSent.number,
		'what nobody knows of is told as such':
			uncertain && again.turn === 'again' && again.number === anew.number,
		'a run whose answer was lost may ask again': sameRun.turn === 'yours' && repeated.turn === 'again',
	};
}

/** Two posts of the same message, and the one behind it; the run that has the turn lets it go. Which is next? */
async function nextAfter(
	lines: Lines,
	line: string,
	letGo: (run: string) => Promise<unknown>,
): Promise<string> {
	const first = await lines.take({ line, id: 'm1' });
	const order: string[] = [];
	const waiting = ['m1', 'm2'].map(async (id, index) => {
		const { run } = await lines.take({ line, id, place: 1 + index });
		order.push(id);
		await lines.end(line, run);
	});
	await sleep(400);
	await letGo(first.run);
	await Promise.all(waiting);
	return order.join();
}

async function checkTwins(lines: Lines): Promise<Checks> {
	const back: string[] = [];
	const left: string[] = [];
	// Few at a time: each that waits has a connection of its own.
	for (const round of [1, 2, 3, 4]) {
		const giveBack = `back ${round}`;
		const leave = `left ${round}`;
		const [one, other] = await Promise.all([
			nextAfter(lines, giveBack, async (run) => await lines.giveBack(giveBack, run)),
			nextAfter(lines, leave, async (run) => await lines.leave(leave, run)),
		]);
		back.push(one);
		left.push(other);
	}
	const inOrder = (all: string[]) => all.every((order) => order === 'm1,m2');
	return {
		'where the same message waits, it is next when its turn is given back': inOrder(back),
		'and when nobody knows whether it was said': inOrder(left),
	};
}

async function checkDeath(lines: Lines, database: Database): Promise<Checks> {
	const line = 'death';
	const dead = await lines.take({ line, id: 'm1', lease: '1 s' });
	const behind = await lines.take({ line, id: 'm2', place: 2 });
	const tooLate = await lines.end(line, dead.run);
	await lines.end(line, behind.run);
	// The second one waits already when the first one begins.
	const [taken, takenOver] = await Promise.all([
		lines.take({ line, id: 'm3', lease: '600 ms' }),
		lines.take({ line, id: 'm3', lease: '600 ms' }),
	]).then((both) => (both[0].turn === 'yours' ? both : ([both[1], both[0]] as const)));
	const lost = await lines.end(line, taken.run);
	await lines.end(line, takenOver.run);

	const holder = await lines.take({ line: 'gone', id: 'm1' });
	const gone = lines.take({ line: 'gone', id: 'm2', run: 'gone' }).then(
		() => 'answered',
		() => 'cut',
	);
	const waiting = async () =>
		(
			await database.rows<{ pid: number }>(
				`SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'CALL%' AND pid <> pg_backend_pid() AND state = 'active'`,
			)
		)[0]?.pid;
	const pid = await waitFor('a run to wait', 5_000, waiting);
	await database.rows('SELECT pg_terminate_backend($1)', [pid]);
	const cut = await gone;
	await lines.end('gone', holder.run);
	const started = performance.now();
	const after = await lines.take({ line: 'gone', id: 'm3', place: 3 });
	const waited = performance.now() - started;
	await lines.end('gone', after.run);
	return {
		'a run that died frees its line when its lease ends': behind.turn === 'yours',
		'it may still end what nobody took over': tooLate,
		'a message that was taken over is told as begun before': takenOver.turn === 'again',
		'and the first run cannot end it any more': !lost,
		'who is gone while it waits holds up nobody for long':
			cut === 'cut' && after.turn === 'yours' && waited < 5_000,
	};
}

async function checkContent(lines: Lines): Promise<Checks> {
	const line = 'content';
	const content = '{"text":"ok"}';
	const first = await lines.take({ line, content });
	await lines.end(line, first.run);
	const second = await lines.take({ line, content, place: 2, lease: '300 ms' });
	const retry = await lines.take({ line, content, place: 3 });
	await lines.giveBack(line, retry.run);
	const other = await lines.take({ line, content: '{"text":"no"}', place: 4 });
	await lines.end(line, other.run);
	const third = await lines.take({ line, content, place: 5 });
	await lines.end(line, third.run);
	const two = await Promise.all(
		[6, 7].map(async (place) => {
			const turn = await lines.take({ line, content, place });
			await lines.end(line, turn.run);
			return turn;
		}),
	);
	const numbers = [first, second, other, ...two].map(({ number }) => Number(number));
	return {
		'the same words twice are two messages': first.message_id !== second.message_id,
		'a retry of what a dead run began is that message':
			retry.message_id === second.message_id && retry.turn === 'again',
		'and so is one of what was given back': third.message_id === second.message_id && third.turn === 'yours',
		'other words are another message': other.message_id !== second.message_id,
		'the same words at the same moment are two messages': two[0]?.message_id !== two[1]?.message_id,
		'numbers grow': numbers.every((number, index) => index === 0 || number > numbers[index - 1]!),
	};
}

async function checkConversations(database: Database): Promise<Checks> {
	const whose = (patience: string) =>
		database.rows<{ customer_id: string; ended_at: Date | null }>('SELECT * FROM dynamics365.whose($1, $2)', [
			'c1',
			patience,
		]);
	const unknown = await whose('100 ms');
	const soon = whose('5 s');
	await database.rows(`SELECT dynamics365.remember('c1', 'line kim', 'kim')`);
	await database.rows(`SELECT dynamics365.remember('c1', 'line ben', 'ben')`);
	const known = await soon;
	await database.rows(`SELECT dynamics365.forget('c1')`);
	const [ended] = await whose('0 s');
	return {
		'a conversation that nobody remembers gives no row': unknown.length === 0,
		'one that is about to be remembered is waited for': known.length === 1,
		'the first customer of a conversation stays its customer': ended?.customer_id === 'kim',
		'an end is kept': known[0]?.ended_at === null && ended?.ended_at instanceof Date,
	};
}

/** Runs that end, fail, do not know, and die at random, each message posted until it is done. */
async function checkAtRandom(lines: Lines): Promise<Checks> {
	const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));
	let state = seed;
	const random = () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
	const said = new Map<string, string[]>();
	const holders = new Map<string, string>();
	let together = 0;
	const deliver = async (line: string, index: number) => {
		for (;;) {
			const id = `m${index}`;
			const turn = await lines.take({ line, id, place: index, lease: '800 ms', patience: '3 s' });
			if (turn.turn === 'done') return;
			if (turn.turn === 'busy') continue;
			if (holders.has(line)) together++;
			holders.set(line, turn.run);
			await new Promise((resolve) => setTimeout(resolve, random() * 30));
			const what = random();
			const words = said.get(line) ?? [];
			said.set(line, words);
			// As the templates do: what an earlier run began is looked for before it is said.
			const isSaid = turn.turn === 'again' && words.includes(id);
			const isRefused = what < 0.2 && !isSaid;
			if (!isRefused && !isSaid) words.push(id);
			holders.delete(line);
			if (isRefused) await lines.giveBack(line, turn.run);
			else if (what < 0.3) await lines.leave(line, turn.run);
			else if (what < 0.4)
				continue; // It died.
			else if (await lines.end(line, turn.run)) return;
		}
	};
	await Promise.all(
		Array.from({ length: 6 }, async (_, line) => {
			for (let index = 0; index < 10; index++) {
				await Promise.all([
					deliver(`random ${line}`, index),
					...(index % 3 ? [] : [deliver(`random ${line}`, index)]),
				]);
			}
		}),
	);
	console.log(`  (seed ${seed})`);
	const wanted = Array.from({ length: 10 }, (_, index) => `m${index}`).join();
	return {
		'at random: nobody has a turn beside another': together === 0,
		'at random: each is said once and in order':
			said.size === 6 && [...said.values()].every((words) => words.join() === wanted),
	};
}

runMain(async () => {
	const { postgres } = servicesFrom(process.env);
	const database = await Database.create(postgres, `e2e_turns_${process.pid}`, 20);
	try {
		// Twice, as the page says that it may be.
		await runQueryOf('tables', 'Make the tables', database);
		await runQueryOf('tables', 'Make the tables', database);
		const lines = new Lines(database);
		const checks = await Promise.all([
			checkOrder(lines),
			checkOnce(lines),
			checkTwins(lines),
			checkContent(lines),
			checkConversations(database),
		]);
		// Alone: it ends the one connection that waits.
		const death = await checkDeath(lines, database);
		const atRandom = await checkAtRandom(lines);
		return report('turns in PostgreSQL', Object.assign({}, ...checks, death, atRandom) as Checks) === 0
			? 0
			: 1;
	} finally {
		await database.drop();
	}
});
