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
		'Retries carry the same ID, so each request is carried out once. Conversation: Create is never retried if it may have arrived.',
	connect: async (context) => connectionFrom(await context.getCredentials('azureCommunicationServicesApi')),
	client: (_, connection, throttle) => communicationClient(connection, throttle),
	firstService: 'communication',
});
