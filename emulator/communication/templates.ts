/** A component of a template, or a button, with the keys that the emulator looks at. */
export interface TemplateComponent {
	type: string;
	format?: string;
	text?: string;
	url?: string;
	buttons?: TemplateComponent[];
}

/** A WhatsApp template as the service lists it, with the fields of Microsoft's `WhatsAppMessageTemplateItem`. */
export interface CommunicationTemplate {
	name: string;
	language: string;
	status: 'approved' | 'rejected' | 'pending' | 'paused';
	kind: 'whatsApp';
	/** WhatsApp's own components. */
	content: TemplateComponent[];
}

const body = (text: string) => ({ type: 'BODY', text });
const footer = (text: string) => ({ type: 'FOOTER', text });
const header = (format: 'IMAGE' | 'VIDEO' | 'DOCUMENT' | 'LOCATION') => ({ type: 'HEADER', format });
const buttons = (...list: TemplateComponent[]) => ({ type: 'BUTTONS', buttons: list });

const template = (
	name: string,
	language: string,
	content: TemplateComponent[],
	status: CommunicationTemplate['status'] = 'approved',
): CommunicationTemplate => ({ name, language, status, kind: 'whatsApp', content });

/** The templates of the channel. They have every kind of header, numbered and named placeholders, and buttons; one is not approved. */
export const DEFAULT_TEMPLATES: readonly CommunicationTemplate[] = [
	template('shipping_confirmation', 'en_US', [
		body('Your package has been shipped. It will be delivered in {{1}} business days.'),
		footer('This message is from an unverified business.'),
	]),
	template('shipping_confirmation', 'de', [
		body('Ihr Paket ist unterwegs. Es kommt in {{1}} Werktagen an.'),
		footer('Diese Nachricht kommt von einem nicht verifizierten Unternehmen.'),
	]),
	template('purchase_feedback', 'en', [
		header('IMAGE'),
		body('Hello {{1}}, how do you like your {{2}}?'),
		buttons(
			{ type: 'QUICK_REPLY', text: 'Very much' },
			{ type: 'QUICK_REPLY', text: 'Not so much' },
			{ type: 'URL', text: 'Write a review', url: 'https://www.contoso.com/reviews/{{1}}' },
		),
	]),
	template('store_location', 'en_US', [header('LOCATION'), body('Your order {{1}} waits for you here.')]),
	template('invoice', 'en_US', [header('DOCUMENT'), body('Here is the invoice {{1}}.')]),
	template('assembly_video', 'en_US', [header('VIDEO'), body('How to put your {{1}} together.')]),
	template('appointment_reminder', 'en_US', [
		{ type: 'HEADER', format: 'TEXT', text: 'See you on {{day}}' },
		body('Hello {{customer_name}}, your technician arrives on {{day}} at {{time}}.'),
		footer('Contoso heat pumps'),
	]),
	template('summer_sale', 'en_US', [body('It is summer, {{1}}!')], 'pending'),
];
