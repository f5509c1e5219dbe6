// A fixed number of callers, each with its own connection, who call again as soon as they were answered.
import { Agent, request } from 'node:http';

/** One call to be made. */
export interface Call {
	url: URL;
	headers: Record<string, string>;
	body: string;
}

/** The result of a round of calls. */
export interface Answered {
	/** How long each call took to its answer's end, milliseconds. */
	latencies: number[];
	/** From the first call to the last answer, milliseconds. */
	elapsed: number;
}

async function answerTo({ url, headers, body }: Call, agent: Agent): Promise<number | undefined> {
	return await new Promise((resolve, reject) => {
		const sent = request(url, { method: 'POST', agent, headers }, (answer) => {
			answer.resume().on('end', () => resolve(answer.statusCode));
		});
		sent.on('error', reject);
		sent.end(body);
	});
}

/**
 * Makes the calls, as many at once as there are callers; connections are kept alive.
 * @throws Error where an answer is not 200, as it would be counted for one.
 */
export async function saturate(calls: readonly Call[], callers: number): Promise<Answered> {
	const agent = new Agent({ keepAlive: true, maxSockets: callers });
	const latencies: number[] = [];
	const waiting = calls.values();
	const caller = async () => {
		for (const call of waiting) {
			const startedAt = performance.now();
			const status = await answerTo(call, agent);
			if (status !== 200) throw new Error(`${call.url.pathname} was answered ${status}`);
			latencies.push(performance.now() - startedAt);
		}
	};
	const startedAt = performance.now();
	try {
		await Promise.all(Array.from({ length: callers }, caller));
	} finally {
		agent.destroy();
	}
	return { latencies, elapsed: performance.now() - startedAt };
}
