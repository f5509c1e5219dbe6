import type { INodeProperties } from 'n8n-workflow';

/** The notice that the service ends, for the node and its credential. Source: docs/service-facts.md#acs-retirement. */
export function retirementNotice(name: string): INodeProperties {
	return {
		displayName:
			'Microsoft ends Advanced Messaging of Azure Communication Services on 30 September 2028, and takes no new sign-ups since 23 October 2026. Instead, it names Dynamics 365 Contact Center, Infobip and Telesign.',
		name,
		type: 'notice',
		default: '',
	};
}
