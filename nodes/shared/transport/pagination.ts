import { ServiceError } from './errors';
import { nonEmptyText, readKey, type Json } from '../json';

/** A list whose pages name the next one by its URL. */
interface LinkedList<Request> {
	/** The request of the first page. */
	first: Request;
	/** The answer's key that holds the next page's URL. */
	linkKey: string;
	/** The service's name, for errors. */
	service: string;
	/** How many entries at the most; undefined for all. */
	limit: number | undefined;
	/** The request of a page by its URL; undefined where that leads to another place, which is not followed. */
	follow: (link: string) => Request | undefined;
	/** The credential's field that holds the service's address. */
	hostField: string;
}

/** Empty pages in a row that are put up with. */
const MAX_EMPTY_PAGES = 2;

/**
 * Reads the entries (`value`) of a list page by page, following its links.
 * @param read makes a call and gives its answer.
 * @throws ServiceError when a link leads elsewhere or comes a second time, which would go on for ever.
 */
export async function* readLinked<Request>(
	{ first, linkKey, service, limit, follow, hostField }: LinkedList<Request>,
	read: (request: Request) => Promise<Json>,
): AsyncGenerator<Json> {
	const seen = new Set<string>();
	let emptyPages = 0;
	let left = limit ?? Infinity;
	for (let page = first; ;) {
		const json = await read(page);
		const entries = readKey(json, 'value');
		const given = (Array.isArray(entries) ? entries : []).slice(0, left);
		yield* given;
		left -= given.length;
		if (left <= 0) return;
		const link = nonEmptyText(readKey(json, linkKey));
		if (link === null) return;
		emptyPages = given.length === 0 ? emptyPages + 1 : 0;
		if (seen.has(link) || emptyPages > MAX_EMPTY_PAGES) {
			throw new ServiceError({
				message: `The pages of ${service} bring nothing new`,
				description: 'The list was not read to its end. Run the node again.',
			});
		}
		seen.add(link);
		const next = follow(link);
		if (next === undefined) {
			throw new ServiceError({
				message: `${service} named a next page that is somewhere else`,
				description: `It is not followed, as the credential would go along. Check ${hostField} in the credential.`,
			});
		}
		page = next;
	}
}
