import type { INodeProperties } from 'n8n-workflow';

/** The notice that the service ends, for the node and its credential. Source: docs/service-facts.md#acs-retirement. */
export function retirementNotice(name: string): INodeProperties {
	return {
		displayName:
			'Microsoft ends Advanced Messaging in Azure Communication Services on 30 September 2028. New sign-ups closed on 23 October 2026. Microsoft recommends Dynamics 365 Contact Center, Infobip and Telesign instead.',
		name,
		type: 'notice',
		default: '',
	};
}
