import type { Json } from '../json';
import { readList, readPage, type ListRequest, type Page, type PageReader } from './pagination';
import type { ServiceRequest } from './request';
import { requestWithRetry, type Service, type ServiceResponse } from './retry';
import type { Throttle } from './throttle';

/**
 * Makes the calls of one run to one service.
 * @example
 * const client = messagingClient(connection, new Throttle(60_000));
 * const { json } = await client.call({ method: 'GET', path: '/conversations' });
 */
export class Client {
	/**
	 * @param throttle of the run.
	 * @param pageReader how the service gives its lists.
	 */
	constructor(
		private readonly service: Service,
		private readonly throttle: Throttle,
		private readonly pageReader: PageReader,
	) {}

	/** Makes a call, as {@link requestWithRetry} does. @throws ServiceError with its `outcome`. */
	async call(request: ServiceRequest): Promise<ServiceResponse> {
		return await requestWithRetry(this.service, request, this.throttle);
	}

	/** Reads one page of a list, as {@link readPage} does. @throws ServiceError. */
	async page(list: ListRequest, cursor?: string): Promise<Page> {
		return await readPage(list, this.pageReader, this.json, cursor);
	}

	/** Reads a list page by page, as {@link readList} does. @throws ServiceError; never a silent end, never a loop. */
	list(list: ListRequest): AsyncGenerator<Json> {
		return readList(list, this.pageReader, this.json);
	}

	private readonly json = async (request: ServiceRequest): Promise<Json> => (await this.call(request)).json;
}

/** The calls that a client makes. */
export type ServiceCalls = Pick<Client, 'call' | 'page' | 'list'>;
