import { ServiceError } from '../../../shared/transport/errors';
import { nonEmptyText, readKey, textOf, type Json } from '../../../shared/json';

/**
 * Looks at an answer that is a success by its status (207) whatever became of the participants.
 * Source: docs/service-facts.md#acs-participants.
 * @param asked how many participants there were.
 * @param verb what was to be done with them: `added`.
 * @param fix how to mend it.
 * @throws ServiceError naming those that the service did not take.
 */
export function refuseInvalid(answer: Json, asked: number, verb: string, fix: string): void {
	const list = readKey(answer, 'invalidParticipants');
	const invalid = Array.isArray(list) ? list : [];
	if (invalid.length === 0) return;
	const named = invalid.map((one) => {
		const id = textOf(readKey(one, 'id')) ?? 'one without an ID';
		const error = readKey(one, 'error');
		const why = nonEmptyText(readKey(readKey(error, 'innererror'), 'message') ?? readKey(error, 'message'));
		if (why === null) return id;
		return why.includes(id) ? why : `${id} (${why})`;
	});
	const done = asked - invalid.length;
	throw new ServiceError({
		message:
			asked === 1
				? `The participant was not ${verb}: ${named.join(', ')}`
				: `${invalid.length} of ${asked} participants ${invalid.length === 1 ? 'was' : 'were'} not ${verb}: ${named.join(', ')}`,
		description: done > 0 ? `The others were ${verb}: try only these again.` : fix,
		httpCode: 207,
		code: nonEmptyText(readKey(readKey(invalid[0] ?? null, 'error'), 'code')),
		outcome: done > 0 ? 'uncertain' : 'notSent',
	});
}
