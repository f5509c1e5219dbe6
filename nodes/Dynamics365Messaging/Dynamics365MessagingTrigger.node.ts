import {
	NodeConnectionTypes,
	type IHookFunctions,
	type INodeType,
	type INodeTypeDescription,
	type IWebhookFunctions,
	type IWebhookResponseData,
} from 'n8n-workflow';
import { testConnection } from './methods/credentialTest';
import { answerDelivery } from './webhook/answer';

export class Dynamics365MessagingTrigger implements INodeType {
	description: INodeTypeDescription = {
		displayName: 'Dynamics 365 Messaging Trigger',
		name: 'dynamics365MessagingTrigger',
		icon: { light: 'file:dynamics365Messaging.svg', dark: 'file:dynamics365Messaging.dark.svg' },
		group: ['trigger'],
		version: 1,
		subtitle: '={{ $parameter["events"].join(", ") }}',
		description:
			'Starts the workflow when Dynamics 365 Contact Center says something in a conversation of your own channel',
		eventTriggerDescription: '',
		activationMessage:
			'Your workflow now receives what Dynamics 365 sends to the production URL. Register that URL, as it is, as msdyn_webhookurl of the channel.',
		defaults: { name: 'Dynamics 365 Messaging Trigger' },
		inputs: [],
		outputs: [NodeConnectionTypes.Main],
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
				inactive:
					'<b>While building</b>, click Listen and have a representative write: the channel must be registered with the <b>test URL</b> for that, which works once per click.<br /><br /><b>For production</b>, activate the workflow and register the <b>production URL</b>, as it is, as the webhook URL of the channel in Dynamics 365. Do not register the test URL for good.',
				active:
					'<b>While building</b>, click Listen and have a representative write: the channel must be registered with the <b>test URL</b> for that, which works once per click.<br /><br /><b>The workflow is active</b>: what Dynamics 365 sends to the <b>production URL</b> starts it. Those runs are in the executions list, not here.',
			},
			activationHint:
				'Activate the workflow, then register the production URL as the webhook URL of the channel in Dynamics 365.',
		},
		// Why two, and why these paths: shared reference on n8n, "The trigger's webhook path". The first one's URL is
		// exactly the base URL to register, below which Dynamics posts to the second.
		webhooks: [
			{
				name: 'setup',
				httpMethod: 'GET',
				responseMode: 'onReceived',
				path: '={{$webhookId}}/{{$nodeId}}',
				isFullPath: true,
			},
			{
				name: 'default',
				httpMethod: 'POST',
				responseMode: 'onReceived',
				path: '={{$nodeId}}/v3/conversations/:conversationId/activities',
				isFullPath: true,
				ndvHideUrl: true,
			},
		],
		properties: [
			{
				displayName:
					'Register the production URL above, as it is, as the webhook URL (<code>msdyn_webhookurl</code>) of the Messaging API channel in Dynamics 365. Dynamics adds the rest of the path itself.',
				name: 'registerNotice',
				type: 'notice',
				default: '',
			},
			{
				displayName: 'Verification',
				name: 'verification',
				type: 'options',
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
						description: 'Believe everybody who knows the URL',
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
				displayName: 'Events',
				name: 'events',
				type: 'multiOptions',
				options: [
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
					{ name: 'Other', value: 'other', description: 'Any other type of activity' },
					{ name: 'Typing', value: 'typing', description: 'A representative is typing' },
				],
				default: ['conversationEvent', 'customEvent', 'message', 'other'],
				required: true,
				description: 'What starts the workflow. The rest is acknowledged and dropped.',
			},
		],
	};

	methods = { credentialTest: { dynamics365MessagingApiTest: testConnection } };

	// Nothing is to be done at the service: an administrator registers the URL in the channel's record.
	webhookMethods = {
		default: {
			async checkExists(this: IHookFunctions): Promise<boolean> {
				return true;
			},
			async create(this: IHookFunctions): Promise<boolean> {
				return true;
			},
			async delete(this: IHookFunctions): Promise<boolean> {
				return true;
			},
		},
	};

	async webhook(this: IWebhookFunctions): Promise<IWebhookResponseData> {
		if (this.getWebhookName() === 'setup') {
			return { webhookResponse: 'This is the webhook URL to register in Dynamics 365.' };
		}
		return await answerDelivery(this, {
			verification: this.getNodeParameter('verification') as string,
			events: this.getNodeParameter('events') as string[],
		});
	}
}
