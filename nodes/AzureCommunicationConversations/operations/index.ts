import { defineActionNode } from '../../shared/action/defineActionNode';
import { communicationClient } from '../api/client';
import { connectionFrom, type Connection } from '../api/connection';
import { conversation } from './conversation';
import { message } from './message';
import type { ServiceName } from './operation';
import { participant } from './participant';
import { template } from './template';

/** The action node: its resources in the order of the drop-down, and how it connects to its service. */
export const actionNode = defineActionNode<Connection, ServiceName>({
	resources: [conversation, message, participant, template],
	firstResource: 'message',
	lostAnswers:
		'What may have arrived is done once, as the service recognises a repeated request; only Conversation: Create is not repeated.',
	connect: async (context) => connectionFrom(await context.getCredentials('azureCommunicationServicesApi')),
	client: (_, connection, throttle) => communicationClient(connection, throttle),
	firstService: 'communication',
});
