import type { Json } from '../json';
import { readList, readPage, readPages, type ListRequest, type Page, type PageReader } from './pagination';
import type { ServiceRequest } from './request';
import { requestWithRetry, type Service, type ServiceResponse } from './retry';
import type { Throttle } from './throttle';

/**
 * Sends the requests of one run to one service.
 * @example
 * const client = new Client(service, new Throttle(60_000), pageReader);
 * const { json } = await client.call({ method: 'GET', path: '/conversations' });
 */
export class Client {
	/**
	 * @param throttle shared by all clients of the run.
	 * @param pageReader how the service splits its lists into pages.
	 */
	constructor(
		private readonly service: Service,
		private readonly throttle: Throttle,
		private readonly pageReader: PageReader,
	) {}

	/**
	 * Sends a request, and again where that is safe: see {@link requestWithRetry}.
	 * @throws ServiceError whose `outcome` says whether the request may have arrived.
	 * @example const { json } = await client.call({ method: 'GET', path: `/conversations/${id}` });
	 */
	async call(request: ServiceRequest): Promise<ServiceResponse> {
		return await requestWithRetry(this.service, request, this.throttle);
	}

	/**
	 * Reads one page of a list: see {@link readPage}.
	 * @throws ServiceError
	 * @example const { entries, next } = await client.page(list);
	 */
	async page(list: ListRequest, cursor?: string): Promise<Page> {
		return await readPage(list, this.pageReader, this.json, cursor);
	}

	/**
	 * Reads a list, and gives the entries of each page together: see {@link readPages}.
	 * @throws ServiceError where the list cannot be read to its end.
	 * @example for await (const page of client.pages(list)) entries.push(...page);
	 */
	pages(list: ListRequest): AsyncGenerator<Json[]> {
		return readPages(list, this.pageReader, this.json);
	}

	/**
	 * Reads a list, and gives its entries one by one: see {@link readList}.
	 * @throws ServiceError where the list cannot be read to its end.
	 * @example for await (const entry of client.list(list)) entries.push(entry);
	 */
	list(list: ListRequest): AsyncGenerator<Json> {
		return readList(list, this.pageReader, this.json);
	}

	private readonly json = async (request: ServiceRequest): Promise<Json> => (await this.call(request)).json;
}

/** The methods of a client that operations use. */
export type ServiceCalls = Pick<Client, 'call' | 'page' | 'pages' | 'list'>;
