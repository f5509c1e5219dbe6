import type { INodeProperties } from 'n8n-workflow';
import type { ParameterReader } from '../../../shared/action/parameters';
import { isRecord, type Json } from '../../../shared/json';
import type { ServiceRequest } from '../../../shared/transport/request';
import { explainAvailabilityError, readAvailability } from '../../dataverse/availability';
import { booleanField } from '../fields';
import type { Plan } from '../operation';

/** What a person, and a language model, has to know of the figures. Source: docs/service-facts.md#availability-answer. */
export const CAVEATS =
	'Figures about representatives can be up to five minutes old, operating hours up to ten. An AI agent in the queue counts as available.';

export const rawOption: INodeProperties = booleanField(
	'includeRaw',
	'Include Raw Answer',
	'Whether to include the unchanged answer of Dynamics 365 as raw',
);

/** The answer without what OData adds. */
function rawOf(answer: Json): Json {
	if (!isRecord(answer)) return answer;
	return Object.fromEntries(Object.entries(answer).filter(([key]) => !key.startsWith('@')));
}

/** Plans a question, whose answer is one item. @param asked what it is about, for the error where that is not there. */
export function askPlan(
	parameters: ParameterReader,
	asked: Parameters<typeof explainAvailabilityError>[1],
	request: ServiceRequest,
): Plan {
	const includeRaw = parameters.collection('options').flag(rawOption.name, rawOption.displayName);
	return {
		kind: 'steps',
		run: async ({ client }) => {
			const { json } = await client('dataverse')
				.call(request)
				.catch((error: unknown) => {
					throw explainAvailabilityError(error, asked);
				});
			const raw = includeRaw ? { raw: rawOf(json) } : {};
			return { items: [{ json: { ...readAvailability(json), ...raw } }] };
		},
	};
}
