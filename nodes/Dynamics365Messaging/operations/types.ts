import type { IDataObject, INodeProperties } from 'n8n-workflow';
import type { Attachment } from '../activity/items';
import type { FetchOptions } from '../api/attachments';
import type { PagedRequest } from '../api/pages';
import type { Json } from '../api/json';
import type { ApiRequest } from '../api/request';
import type { ParameterReader } from './parameters';

export type ResourceName = 'conversation' | 'message' | 'customEvent';

/** What an item asks for, read and checked, before anything is sent: one call, a list in pages, or files. */
export type Plan =
	| {
			kind: 'call';
			request: ApiRequest;
			/** Turns the answer's JSON into the items that come out. */
			toItems: (answer: Json) => IDataObject[];
	  }
	| {
			kind: 'list';
			list: PagedRequest;
			/** Turns one entry into the item that comes out. */
			toItem: (entry: Json) => IDataObject;
	  }
	| {
			kind: 'download';
			attachments: Attachment[];
			limits: Pick<FetchOptions, 'maxBytes' | 'maxCount'>;
	  };

/** One operation of the action node: all that it is stands in its own file, the registry lists it. */
export interface Operation {
	resource: ResourceName;
	/** The value of the `operation` parameter, e.g. `getMany`. */
	operation: string;
	/** As the drop-down shows it, e.g. `Get Many`. */
	name: string;
	/** As the node creator shows it, in sentence case. */
	action: string;
	description: string;
	/** Its fields, without display options: the registry adds them. */
	fields: INodeProperties[];
	/**
	 * Reads the item's parameters, checks them and plans the call. Pure but for the reading.
	 * @param channelId the credential's channel, which activities name.
	 * @throws InputError naming the field.
	 */
	plan: (parameters: ParameterReader, channelId: string) => Plan;
}
