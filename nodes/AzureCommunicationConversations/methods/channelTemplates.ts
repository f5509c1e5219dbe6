import type { ILoadOptionsFunctions } from 'n8n-workflow';
import type { ServiceCalls } from '../../shared/transport/client';
import type { ListRequest } from '../../shared/transport/pagination';
import { communicationClient } from '../api/client';
import { connectionFrom, type Connection } from '../api/connection';
import { listRequest, templatesRequest } from '../api/request';
import { readChannelId } from '../operations/fields';

/** The most entries that a list of the editor reads. */
export const MAX_ENTRIES = 2_000;

/**
 * Reads the credential of the node that is open in the editor.
 * @throws InputError with the name of the wrong field.
 */
export async function connectionOf(
	context: ILoadOptionsFunctions,
): Promise<{ connection: Connection; client: ServiceCalls }> {
	const connection = connectionFrom(await context.getCredentials('azureCommunicationServicesApi'));
	return { connection, client: communicationClient(connection) };
}

/** Makes the list of the templates of the node's channel. @throws InputError where there is none. */
export function templatesOf(context: ILoadOptionsFunctions, connection: Connection): ListRequest {
	const given = context.getCurrentNodeParameter('channelId');
	const channelId = readChannelId(typeof given === 'string' ? given : '', 'Channel ID', connection);
	return listRequest(templatesRequest(channelId), MAX_ENTRIES);
}
