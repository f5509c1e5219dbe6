import {
	type IHookFunctions,
	type INodeType,
	type INodeTypeDescription,
	type IWebhookFunctions,
	type IWebhookResponseData,
} from 'n8n-workflow';
import { testConnection } from './methods/credentialTest';
import { toNodeError } from '../shared/action/nodeErrors';
import { SIGNED_DELIVERY_HEADER, TRIGGER_HEADER, triggerMark } from './setup/probe';
import { noteRefusal, registerTrigger, unregisterTrigger } from './setup/registration';
import { ATTACHMENT_COUNT, ATTACHMENT_SIZE_MB } from './attachments/limits';
import { KNOWN_EVENTS } from './activity/events';
import { checkCallable, checkRestrictions } from './webhook/activation';
import { handleDelivery, signedDeliveryOf } from './webhook/handleDelivery';
import { toListenError, toPublishError } from './webhook/publishError';
import { FLAGS, readItemOptions, readOptions } from './webhook/settings';

/**
 * The trigger's outputs for its parameters. n8n's editor and engine evaluate the text of this function, so it can use
 * nothing but its parameter; a test compares it with `outputsFor`.
 */
const configuredOutputs = (parameters: { output?: string; events?: string[] }) => {
	const names: Array<[string, string]> = [
		['message', 'Message'],
		['typing', 'Typing'],
		['conversationEvent', 'Conversation Event'],
		['customEvent', 'Custom Event'],
		['other', 'Any Other Activity'],
	];
	if (parameters.output !== 'perEvent') return [{ type: 'main' }];
	const chosen = names.filter(([type]) => (parameters.events ?? []).includes(type));
	return chosen.map(([, displayName]) => ({ type: 'main', displayName }));
};

const { default: DEFAULT_MAX_SIZE_MB } = ATTACHMENT_SIZE_MB;
const { default: DEFAULT_MAX_COUNT } = ATTACHMENT_COUNT;

/**
 * Refuses to publish with an option that an expression gives wrongly, such as a limit that is no number. n8n's own start
 * goes on with the default instead, as the messages that come meanwhile would be lost.
 * @throws InputError with the name of the field.
 */
function checkItemOptions(context: IHookFunctions): void {
	if (['init', 'leadershipChange'].includes(context.getActivationMode())) return;
	readItemOptions(readOptions(context), (error) => {
		throw error;
	});
}

/** Where Dynamics posts to, below the URL that is registered. Source: docs/service-facts.md#webhook-delivery. */
const ACTIVITIES_PATH = '={{$nodeId}}/v3/conversations/:conversationId/activities';

/** What the webhooks have in common to which Dynamics posts. */
const DELIVERIES = {
	httpMethod: 'POST',
	// Source: docs/service-facts.md#n8n-webhook-answers.
	responseMode: '={{ $parameter["respond"] === "onSuccess" ? "lastNode" : "onReceived" }}',
	// For both: n8n evaluates an expression here twice for each delivery, which takes longer than all that the trigger does.
	responseData: 'noData',
	isFullPath: true,
	ndvHideUrl: true,
} as const;

/** How to try the trigger in the editor. */
const TESTING =
	'<b>While building</b>, click Execute step (or Test this trigger) and have a representative write. Each click takes one delivery. With <b>Register Webhook</b> on, the channel has the test URL while n8n listens, and gets back what stood there before. With it off, register the <b>test URL</b> yourself, and do not leave it there.<br /><br />';
const ROUTER =
	'https://github.com/n8n-nodes-dynamics365-messaging/n8n-nodes-dynamics365-messaging/blob/main/templates/router.md';

export class Dynamics365MessagingTrigger implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Dynamics 365 Messaging Trigger',
		name: 'dynamics365MessagingTrigger',
		icon: { light: 'file:dynamics365Messaging.svg', dark: 'file:dynamics365Messaging.dark.svg' },
		group: ['trigger'],
		version: 1,
		subtitle: '={{ $parameter["events"].join(", ") }}',
		description:
			'Connects your own channel to Dynamics 365 Contact Center. Starts the workflow when a representative or AI agent writes.',
		eventTriggerDescription: '',
		activationMessage:
			'With Register Webhook on, the channel has the production URL now, and your workflow receives what Dynamics 365 sends. For a new channel, run Channel: Link Managed Identity next: until then the trigger rejects its calls. With it off, copy the production URL and register it, as it is, as the webhook URL (msdyn_webhookurl) of the channel.',
		defaults: { name: 'Dynamics 365 Messaging Trigger' },
		inputs: [],
		outputs: `={{(${configuredOutputs.toString()})($parameter)}}`,
		credentials: [
			{
				name: 'dynamics365MessagingApi',
				required: true,
				testedBy: 'dynamics365MessagingApiTest',
				displayOptions: { show: { verification: ['entraToken'] } },
			},
		],
		triggerPanel: {
			header: '',
			executionsHelp: {
				inactive: `${TESTING}<b>For production</b>, publish (or activate) the workflow. With Register Webhook on, that writes the <b>production URL</b> into the channel’s record. With it off, register that URL yourself.`,
				active: `${TESTING}<b>The workflow is live</b>: what Dynamics 365 sends to the <b>production URL</b> starts it. Those runs are in the executions list, not here. While n8n listens for a test with Register Webhook on, deliveries go to the test URL instead.`,
			},
			activationHint: {
				inactive:
					'Publish (or activate) the workflow. Only with Register Webhook off, also enter its production URL as the webhook URL of the channel.',
				active: 'The workflow starts with what Dynamics 365 sends to its production URL.',
			},
		},
		// The first webhook's URL is the base URL to register; Dynamics posts to the others, below it.
		// Source: docs/service-facts.md#n8n-webhook-paths.
		webhooks: [
			{
				name: 'setup',
				httpMethod: 'GET',
				responseMode: 'onReceived',
				path: '={{$webhookId}}/{{$nodeId}}',
				isFullPath: true,
			},
			{ name: 'default', ...DELIVERIES, path: ACTIVITIES_PATH },
			// Bot Framework's clients post a reply below the activity to which it replies: the same delivery. n8n has two names
			// for a node's webhooks, and runs the methods of a name once for each webhook of it.
			{ name: 'setup', ...DELIVERIES, path: `${ACTIVITIES_PATH}/:activityId` },
		],
		properties: [
			{
				displayName: 'Trigger On',
				name: 'events',
				type: 'multiOptions',
				noDataExpression: true,
				options: [
					{
						name: 'Any Other Activity',
						value: 'other',
						description: 'What is none of the others, such as a kind that Microsoft adds later',
					},
					{
						name: 'Conversation Event',
						value: 'conversationEvent',
						description: 'Somebody joined or left, the conversation was transferred or closed',
					},
					{
						name: 'Custom Event',
						value: 'customEvent',
						description: 'An AI agent of Copilot Studio tells the workflow something',
					},
					{ name: 'Message', value: 'message', description: 'A representative or an AI agent writes' },
					{ name: 'Typing', value: 'typing', description: 'A representative is typing' },
				],
				default: ['conversationEvent', 'customEvent', 'message', 'other'],
				required: true,
				description: 'What starts the workflow. The rest is acknowledged and dropped.',
			},
			{
				displayName: 'Register Webhook',
				name: 'registerWebhook',
				type: 'boolean',
				noDataExpression: true,
				default: true,
				displayOptions: { show: { verification: ['entraToken'] } },
				description:
					'Whether to write the URL into the channel’s record when the workflow is published, and the test URL while n8n listens for a test event. What stood there before is put back at the end. Needs Environment URL in the credential. Where the channel has a managed identity, a new URL may make a new federated subject, to be renewed in Entra (Channel: Check Setup says so).',
			},
			{
				displayName:
					'Open Webhook URLs above, choose <b>Production URL</b>, copy it and register it, as it is, as the webhook URL (<code>msdyn_webhookurl</code>) of the Messaging API channel in Dynamics 365. Dynamics adds the rest of the path itself.',
				name: 'registerNotice',
				type: 'notice',
				default: '',
				displayOptions: { hide: { registerWebhook: [true] } },
			},
			{
				displayName: `A channel has one webhook URL, so one active workflow with this trigger. To do several things with one channel, use the <a href="${ROUTER}">router template</a>.`,
				name: 'oneTriggerNotice',
				type: 'notice',
				default: '',
			},
			{
				displayName: 'Respond',
				name: 'respond',
				type: 'options',
				noDataExpression: true,
				options: [
					{
						name: 'Immediately',
						value: 'immediately',
						description: 'As soon as n8n has taken the delivery',
					},
					{
						name: 'When Workflow Succeeds',
						value: 'onSuccess',
						description:
							'Only when the workflow has ended without an error. If it fails, Dynamics 365 sends the delivery again.',
					},
				],
				default: 'immediately',
				description: 'When Dynamics 365 is told that its delivery has arrived',
			},
			{
				displayName:
					'A delivery whose workflow did not succeed is sent again, and the deliveries of a conversation run one after the other. After a failure the workflow may see a delivery again, up to three times in all: put what must not happen twice last, or guard it. Each run should end within 8 seconds. n8n’s experimental engine 2.0 knows only Immediately. <a href="https://github.com/n8n-nodes-dynamics365-messaging/n8n-nodes-dynamics365-messaging/blob/main/docs/production.md">How to run this in production</a>',
				name: 'onSuccessNotice',
				type: 'notice',
				default: '',
				displayOptions: { show: { respond: ['onSuccess'] } },
			},
			{
				displayName: 'Verification',
				name: 'verification',
				type: 'options',
				noDataExpression: true,
				options: [
					{
						name: 'Microsoft Entra Token',
						value: 'entraToken',
						description:
							'Believe only what carries a valid token of your tenant and app. The channel needs a managed identity with a federated credential.',
					},
					{
						name: 'None',
						value: 'none',
						description: 'Accept every caller who knows the URL',
					},
				],
				default: 'entraToken',
				description: 'How to make sure that it is Dynamics 365 who calls',
			},
			{
				displayName:
					'Nothing proves who calls: whoever learns this URL can write to your customers in a representative’s name. Its two random parts are the only secret. Choose this only while the channel has no managed identity.',
				name: 'noVerificationNotice',
				type: 'notice',
				default: '',
				displayOptions: { show: { verification: ['none'] } },
			},
			{
				displayName: 'Outputs',
				name: 'output',
				type: 'options',
				noDataExpression: true,
				options: [
					{ name: 'One for All', value: 'single', description: 'All items come out at one output' },
					{
						name: 'One per Event Type',
						value: 'perEvent',
						description: 'Each chosen event type has an output of its own',
					},
				],
				default: 'single',
				description: 'At which output the items come out',
			},
			{
				displayName: 'Options',
				name: 'options',
				type: 'collection',
				placeholder: 'Add option',
				default: {},
				options: [
					{
						displayName: 'Additional Audience',
						name: 'audience',
						type: 'string',
						default: '',
						placeholder: 'e.g. api://contoso.com/messaging',
						description:
							'A further audience to believe in tokens, if the ID URI of the app is not api:// and its client ID',
					},
					{
						displayName: 'Caller Object ID',
						name: 'callerObjectId',
						type: 'string',
						default: '',
						placeholder: 'e.g. 3e8a1c52-90ab-4cde-8f01-23456789abcd',
						description: 'Believe only the service principal with this object ID (oid)',
					},
					{
						displayName: 'Conversation Event Names',
						name: 'eventNames',
						type: 'multiOptions',
						options: KNOWN_EVENTS.map(({ name, meaning }) => ({ name, value: name, description: meaning })),
						default: [],
						description:
							'Let only these conversation events start the workflow. For one that is not in the list yet, give a list of names as an expression.',
					},
					{
						displayName: 'Conversation IDs',
						name: 'conversationIds',
						type: 'string',
						default: '',
						placeholder: 'e.g. 9f6c021d-1234-4abc-8df7-123456789abc, …',
						description:
							'Let only these conversations start the workflow, separated by commas or as a list. Empty, the workflow cannot be published.',
					},
					{
						displayName: FLAGS.downloadAttachments,
						name: 'downloadAttachments',
						type: 'boolean',
						default: false,
						description:
							'Whether to fetch the files of a message into binary fields (attachment_0, …) before the workflow starts, within 5 seconds. For large files use Message: Download Attachments instead.',
					},
					{
						displayName: FLAGS.listButtons,
						name: 'listButtons',
						type: 'boolean',
						default: false,
						description:
							'Whether to list the buttons of a message below its plainText, a line for each, for channels that cannot show buttons',
					},
					{
						displayName: ATTACHMENT_SIZE_MB.label,
						name: ATTACHMENT_SIZE_MB.name,
						type: 'number',
						default: DEFAULT_MAX_SIZE_MB,
						typeOptions: { minValue: 1 },
						displayOptions: { show: { downloadAttachments: [true] } },
						description: 'A larger file is not fetched; the item says so and has its URL',
					},
					{
						displayName: ATTACHMENT_COUNT.label,
						name: ATTACHMENT_COUNT.name,
						type: 'number',
						default: DEFAULT_MAX_COUNT,
						typeOptions: { minValue: 1 },
						displayOptions: { show: { downloadAttachments: [true] } },
						description: 'How many files of one message are fetched',
					},
				],
			},
		],
	};

	methods = { credentialTest: { dynamics365MessagingApiTest: testConnection } };

	// A URL that Dynamics cannot call is an error at activation, before a customer misses an answer.
	webhookMethods = {
		default: {
			async checkExists(this: IHookFunctions): Promise<boolean> {
				return false;
			},
			async create(this: IHookFunctions): Promise<boolean> {
				const registers = this.getNodeParameter('registerWebhook', false) === true;
				try {
					checkItemOptions(this);
					checkRestrictions(readOptions(this), this.getNodeParameter('verification') !== 'none');
					if (registers || this.getMode() !== 'manual') await checkCallable(this, () => noteRefusal(this));
					if (registers) await registerTrigger(this);
				} catch (error) {
					const node = this.getNode();
					throw this.getMode() === 'manual' ? toListenError(node, error) : toPublishError(node, error);
				}
				return true;
			},
			// Also where Register Webhook has been switched off since, as the URL may still be registered.
			async delete(this: IHookFunctions): Promise<boolean> {
				const registers = this.getNodeParameter('registerWebhook', false) === true;
				await unregisterTrigger(this, registers).catch((error: unknown) => {
					throw toNodeError(this.getNode(), error);
				});
				return true;
			},
		},
	};

	async webhook(this: IWebhookFunctions): Promise<IWebhookResponseData> {
		if (this.getRequestObject().method !== 'POST') {
			const mark = triggerMark(this.getInstanceId(), this.getNodeWebhookUrl('setup') ?? '');
			this.getResponseObject().setHeader(TRIGGER_HEADER, mark);
			const signed = await signedDeliveryOf(this);
			if (signed !== undefined) this.getResponseObject().setHeader(SIGNED_DELIVERY_HEADER, signed);
			return { webhookResponse: 'This is the webhook URL to register in Dynamics 365.' };
		}
		return await handleDelivery(this);
	}
}
