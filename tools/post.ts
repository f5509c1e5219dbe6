import { request } from 'node:http';

/**
 * Posts an activity as Dynamics 365 does.
 * @param token the bearer token.
 * @param body JSON.
 * @param patienceMs after which the connection is closed without an answer, milliseconds; undefined for never.
 * @returns the status; undefined when the connection was closed before the answer.
 * @throws the error of the connection.
 */
export async function post(
	url: URL,
	token: string,
	body: string,
	patienceMs?: number,
): Promise<number | undefined> {
	return await new Promise((resolve, reject) => {
		let answered = false;
		let gaveUp = false;
		const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
		const sent = request(url, { method: 'POST', headers }, (answer) => {
			answered = true;
			answer.resume().on('end', () => resolve(answer.statusCode));
		});
		sent.on('error', (error) => (gaveUp ? resolve(undefined) : reject(error)));
		sent.end(body, () => {
			if (patienceMs === undefined) return;
			setTimeout(() => {
				if (answered) return;
				gaveUp = true;
				sent.destroy();
			}, patienceMs);
		});
	});
}
