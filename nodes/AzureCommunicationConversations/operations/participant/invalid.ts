import { ServiceError, serviceErrorOf } from '../../../shared/transport/errors';
import { readEntries } from '../../../shared/transport/pagination';
import { nonEmptyText, readKey, textOf, type Json } from '../../../shared/json';

function invalidIn(answer: Json): Json[] {
	try {
		return readEntries(answer, 'invalidParticipants');
	} catch (thrown) {
		const error = serviceErrorOf(thrown);
		const description = `${error.description} Check the participants (Conversation: Get) before you try again.`;
		throw error.with({ description, httpCode: 207, outcome: 'uncertain' });
	}
}

/**
 * Checks the answer of an operation on participants, whose status is 207 even where the service refused some of them.
 * Source: docs/service-facts.md#acs-participants.
 * @param count how many participants were sent.
 * @param verb what was to be done with them: `added`.
 * @param fix says what to do where all were refused.
 * @throws ServiceError that names the participants which the service refused; where the answer has no list of them, so
 * that nobody knows what became of them.
 */
export function checkParticipants(answer: Json, count: number, verb: string, fix: string): void {
	const invalid = invalidIn(answer);
	if (invalid.length === 0) return;
	const named = invalid.map((one) => {
		const id = textOf(readKey(one, 'id')) ?? 'one without an ID';
		const error = readKey(one, 'error');
		const why = nonEmptyText(readKey(readKey(error, 'innererror'), 'message') ?? readKey(error, 'message'));
		if (why === null) return id;
		return why.includes(id) ? why : `${id} (${why})`;
	});
	const done = count - invalid.length;
	throw new ServiceError({
		message:
			count === 1
				? `The participant was not ${verb}: ${named.join(', ')}`
				: `${invalid.length} of ${count} participants ${invalid.length === 1 ? 'was' : 'were'} not ${verb}: ${named.join(', ')}`,
		description: done > 0 ? `The others were ${verb}: try only these again.` : fix,
		httpCode: 207,
		code: nonEmptyText(readKey(readKey(invalid[0] ?? null, 'error'), 'code')),
		outcome: done > 0 ? 'uncertain' : 'notSent',
	});
}
