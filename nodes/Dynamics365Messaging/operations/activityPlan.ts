import { conversationOrderingKey } from '../../shared/action/fields/locator';
import { activityRequest, messageIdOf, type OutgoingActivity } from '../messagingApi/sendActivity';
import type { Plan } from './operation';

/**
 * Plans to send an activity. The activities of one conversation leave in the order of the items.
 * @returns a plan whose item has the ID that the service gives the activity.
 */
export function activityPlan(channelId: string, conversationId: string, activity: OutgoingActivity): Plan {
	return {
		kind: 'call',
		request: activityRequest(channelId, conversationId, activity),
		toItems: (answer) => [{ conversationId, messageId: messageIdOf(answer) }],
		orderingKey: conversationOrderingKey(conversationId),
	};
}
