import { conversationOrderingKey } from '../../shared/action/fields/locator';
import { activityRequest, messageIdOf, type OutgoingActivity } from '../messagingApi/sendActivity';
import { checkMessageSize } from './messageSize';
import type { Plan } from './operation';

/**
 * Plans to send an activity. The activities of one conversation leave in the order of the items.
 * @returns a plan whose item has the ID that the service gives the activity.
 * @throws InputError where it is too large.
 */
export function activityPlan(channelId: string, conversationId: string, activity: OutgoingActivity): Plan {
	const request = activityRequest(channelId, conversationId, activity);
	if (activity.type === 'message') {
		checkMessageSize(request.body ?? {}, 'The message', 'Send it as several messages.');
	} else {
		checkMessageSize(request.body ?? {}, 'The event', 'Shorten Event Value.');
	}
	return {
		kind: 'call',
		request,
		toItems: (answer) => [{ conversationId, messageId: messageIdOf(answer) }],
		orderingKey: conversationOrderingKey(conversationId),
	};
}
