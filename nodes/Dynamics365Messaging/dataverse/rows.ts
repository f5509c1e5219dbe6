import type { Json } from '../../shared/json';
import { readLinked } from '../../shared/transport/pagination';
import type { Throttle } from '../../shared/transport/throttle';
import { exchange } from '../messagingApi/client';
import { connectionTo, type Connection } from '../connection';
import { urlOf, type ReadRequest } from '../messagingApi/request';

/** The request of a page that Dataverse names by its whole URL; undefined where it leads to another table or origin. */
function nextRequest(origin: string, request: ReadRequest, link: string): ReadRequest | undefined {
	const url = URL.canParse(link) ? new URL(link) : undefined;
	if (url?.origin !== origin || url.pathname !== urlOf(origin, request).pathname) return undefined;
	return { ...request, query: Object.fromEntries(url.searchParams) };
}

/**
 * Reads rows page by page, following Dataverse's next links.
 * @param limit how many at the most; undefined for all.
 * @throws ServiceError when a link leads elsewhere or comes a second time, which would go on for ever.
 */
export function readRows(
	connection: Connection,
	request: ReadRequest,
	limit: number | undefined,
	pace: Throttle,
): AsyncGenerator<Json> {
	const { origin } = connectionTo(connection, 'dataverse');
	const list = {
		first: request,
		linkKey: '@odata.nextLink',
		service: 'Dataverse',
		limit,
		follow: (link: string) => nextRequest(origin, request, link),
		hostField: 'Environment URL',
	};
	return readLinked(list, async (page) => (await exchange(connection, page, pace)).json);
}
