import type { CommunicationSettings } from '../settings';
import { CommunicationError } from './errors';

/** An origin other than the emulator's, where no server answers: RFC 2606 reserves the name. */
const FOREIGN_ORIGIN = 'https://communication.invalid';

export interface ListPage<T> {
	value: T[];
	nextLink?: string;
}

/** Where a page starts. */
interface Start {
	/** The position of the last entry of the previous page. */
	after: number;
	/** Whether the page before it has no entries. */
	isGap: boolean;
}

const writeToken = ({ after, isGap }: Start): string =>
	Buffer.from(`${after}${isGap ? ' gap' : ''}`).toString('base64url');

function readToken(token: string | null): Start {
	if (token === null) return { after: Number.NEGATIVE_INFINITY, isGap: false };
	const [, after, gap] = /^(-?\d+)( gap)?$/.exec(Buffer.from(token, 'base64url').toString('utf8')) ?? [];
	if (after === undefined) {
		throw new CommunicationError('BadRequest', 'The continuation token is not known.', {
			target: 'continuationToken',
		});
	}
	return { after: Number(after), isGap: gap !== undefined };
}

/**
 * Makes one page of a list, with the wrong behaviour that the settings ask for.
 *
 * @param items in the order of their positions
 * @param url the URL of the request, on the emulator's origin
 * @throws CommunicationError for an unknown continuation token
 */
export function pageOf<T>(
	items: readonly T[],
	positionOf: (item: T) => number,
	url: URL,
	{ lists, maxPageSize }: CommunicationSettings,
): ListPage<T> {
	const { after, isGap } = readToken(url.searchParams.get('continuationToken'));
	const size = Math.min(Number(url.searchParams.get('maxPageSize') ?? maxPageSize), maxPageSize);
	const rest = items.filter((item) => positionOf(item) > after);
	const value = isGap ? [] : rest.slice(0, size);
	const linkTo = (start: Start | undefined): string => {
		const link = new URL(url);
		if (start) link.searchParams.set('continuationToken', writeToken(start));
		return lists.foreignNextLink ? `${FOREIGN_ORIGIN}${link.pathname}${link.search}` : link.href;
	};

	if (lists.sameLink) return { value, nextLink: linkTo(undefined) };
	if (isGap) return { value, nextLink: linkTo({ after, isGap: false }) };
	const last = value.at(-1);
	if (last === undefined || rest.length <= size) return { value };
	return { value, nextLink: linkTo({ after: positionOf(last), isGap: lists.emptyPages ?? false }) };
}
