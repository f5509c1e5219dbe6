import type { INodeProperties } from 'n8n-workflow';
import { InputError } from '../../transport/errors';
import type { ParameterReader } from '../parameters';

/** The fields Return All and Limit of a Get Many operation. */
export const limitFields: INodeProperties[] = [
	{
		displayName: 'Return All',
		name: 'returnAll',
		type: 'boolean',
		default: false,
		description: 'Whether to return all results or only up to a given limit',
	},
	{
		displayName: 'Limit',
		name: 'limit',
		type: 'number',
		default: 50,
		typeOptions: { minValue: 1 },
		displayOptions: { show: { returnAll: [false] } },
		description: 'Max number of results to return',
	},
];

/**
 * Reads Return All and Limit.
 * @returns how many entries at the most; undefined for all.
 * @throws InputError where Limit is no whole number from 1.
 */
export function readLimit(parameters: ParameterReader): number | undefined {
	if (parameters.flag('returnAll', 'Return All')) return undefined;
	const limit = parameters.number('limit', 'Limit');
	if (!Number.isSafeInteger(limit) || limit < 1)
		throw new InputError('Limit must be a whole number from 1', 'Or choose Return All.');
	return limit;
}
