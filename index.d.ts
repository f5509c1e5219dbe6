// The types of what the nodes emit, for Code nodes that are written in an editor with types:
//   /** @type {import('n8n-nodes-dynamics365-messaging').TriggerItem} */
//   const item = $json;

export type {
	ActivityBody,
	Attachment,
	Button,
	Card,
	ConversationEventItem,
	CustomEventItem,
	EventType,
	MessageItem,
	OtherItem,
	Sender,
	TriggerItem,
	TypingItem,
} from './dist/nodes/Dynamics365Messaging/activity/items';
export type * as Dynamics365Messaging from './dist/nodes/Dynamics365Messaging/items';
export type * as AzureCommunicationConversations from './dist/nodes/AzureCommunicationConversations/items';
