import { defineActionNode } from '../../shared/action/defineActionNode';
import type { Client } from '../../shared/transport/client';
import type { Throttle } from '../../shared/transport/throttle';
import { connectionFrom, type Connection } from '../connection';
import { dataverseClient } from '../dataverse/client';
import { messagingClient } from '../messagingApi/client';
import { availability } from './availability';
import { channel } from './channel';
import { conversation } from './conversation';
import { customEvent } from './customEvent';
import { message } from './message';
import type { ServiceName } from './operation';

const CLIENTS: Record<ServiceName, (connection: Connection, throttle: Throttle) => Client> = {
	messagingApi: messagingClient,
	dataverse: dataverseClient,
};

/** The action node: its resources, in the order of the drop-down, and the clients of its services. */
export const actionNode = defineActionNode<Connection, ServiceName>({
	resources: [availability, channel, conversation, customEvent, message],
	firstResource: 'conversation',
	lostAnswers: 'A message that may have arrived is never sent again.',
	connect: async (context) => connectionFrom(await context.getCredentials('dynamics365MessagingApi')),
	client: (service, connection, throttle) => CLIENTS[service](connection, throttle),
	firstService: 'messagingApi',
});
