// The Code node's part of the comparison: what one has to write to get about our trigger's item from n8n's Webhook node.
const { body, params } = $input.first().json;
const text = body.text ?? null;
const named =
	/EventName:\s*\**_*([\w.-]+)/.exec(text ?? '')?.[1] ?? (body.type === 'event' ? body.name : undefined);
const custom = body.channelData?.customEvent === true;
const common = {
	conversationId: body.conversation?.id ?? params.conversationId,
	channelId: body.channelId ?? null,
	activityId: body.id ?? null,
	from: body.from ? { id: body.from.id ?? null, name: body.from.name ?? null } : null,
	conversationEnded: ['ConversationClose', 'PrimaryAgentEndConversation'].includes(named),
	receivedAt: new Date().toISOString(),
	activity: body,
};
const plainTextOf = (markdown) =>
	markdown
		.replace(/<br\s*\/?>/gi, '\n')
		.replace(/\[([^\]]*)\]\(([^)]*)\)/g, '$1 ($2)')
		.replace(/(\*\*|__|\*|_|`)(.+?)\1/g, '$2')
		.trim();
if (custom) {
	const { customEventName, customEventValue } = body.channelData;
	return [{ json: { eventType: 'customEvent', ...common, customEventName, customEventValue } }];
}
if (named) return [{ json: { eventType: 'conversationEvent', ...common, eventName: named } }];
if (body.type !== 'message') return [{ json: { eventType: body.type, ...common } }];
return [
	{
		json: {
			eventType: 'message',
			...common,
			text,
			plainText: text === null ? null : plainTextOf(text),
			textFormat: body.textFormat ?? null,
			attachments: body.attachments ?? [],
			// What a Code node of a user would leave out: the trigger reads them from cards and suggested actions.
			buttons: [],
			cards: [],
			replyToId: body.replyToId ?? null,
			locale: body.locale ?? null,
		},
	},
];
