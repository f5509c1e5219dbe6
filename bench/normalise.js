// The Code node's part of the comparison: what one has to write to get about our trigger's item from n8n's Webhook node.
const { body, params } = $input.first().json;
const text = body.text ?? null;
const named =
	/EventName:\s*\**_*([\w.-]+)/.exec(text ?? '')?.[1] ?? (body.type === 'event' ? body.name : undefined);
const custom = body.channelData?.customEvent === true;
const heading = {
	conversationId: body.conversation?.id ?? params.conversationId,
	from: body.from ? { id: body.from.id ?? null, name: body.from.name ?? null } : null,
};
const details = {
	conversationEnded: ['ConversationClose', 'PrimaryAgentEndConversation'].includes(named),
	channelId: body.channelId ?? null,
	activityId: body.id ?? null,
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
	return [{ json: { ...heading, eventType: 'customEvent', customEventName, customEventValue, ...details } }];
}
if (named) return [{ json: { ...heading, eventType: 'conversationEvent', eventName: named, ...details } }];
if (body.type !== 'message') return [{ json: { ...heading, eventType: body.type, ...details } }];
return [
	{
		json: {
			text,
			plainText: text === null ? null : plainTextOf(text),
			...heading,
			eventType: 'message',
			attachments: body.attachments ?? [],
			// What a Code node of a user would leave out: the trigger reads them from cards and suggested actions.
			buttons: [],
			cards: [],
			textFormat: body.textFormat ?? null,
			replyToId: body.replyToId ?? null,
			locale: body.locale ?? null,
			...details,
		},
	},
];
