import type { Emulator } from '../emulator';
import { type CustomerMessage, type Sent, write } from './customer';
import type { Execution, Executions } from '../tools/n8n/executions';
import { waitFor } from '../tools/wait';
import { noisePicture } from './picture';

/** The people in the conversation: a customer of a heating company and its representative. */
export const customer = { customerId: 'kim-berger', name: 'Kim Berger' } as const;
const representative = 'Ana Lopes';

const words = {
	asks: 'My heat pump is loud. Can you help?',
	answers:
		'Hello Kim, this is Ana. Please set the fan to level 3: the picture shows how much quieter that is.',
	thanks: 'Level 3 is fine, thank you! Can somebody clean it, too?',
} as const;

const offer = {
	name: 'offerAppointment',
	value: { service: 'Fan cleaning', slots: ['Mon 9:00', 'Tue 14:30'] },
};

/** The parts that the conversation needs. */
export interface DemoParts {
	emulator: Emulator;
	executions: Executions;
	/** The production webhook of the workflow that gets the customer's messages. */
	customerWebhook: string;
	/** The name of the trigger in the other workflow. */
	trigger: string;
}

/** The fields of a trigger item that the demo uses. */
export interface TriggerItem {
	eventType: string;
	conversationId: string;
	from?: { id?: string | null; name?: string | null } | null;
	text?: string | null;
	attachments?: Array<{ name?: string | null; contentType?: string | null; contentUrl?: string | null }>;
	eventName?: string;
	eventCategory?: string;
	conversationEnded?: boolean;
	customEventName?: string | null;
	customEventValue?: unknown;
	activity: unknown;
}

/** The item with which an execution began, if the trigger began it. */
export function triggerItem(execution: Execution, trigger: string): TriggerItem | undefined {
	const run = execution.runs.find(({ node }) => node === trigger);
	// The trigger's documented item. Its fields are checked later.
	return run?.items[0] as TriggerItem | undefined;
}

/**
 * Plays one conversation from its first message to its transcript. After each step it waits until n8n has run the workflows.
 * @returns the conversation's id
 * @throws NotSeen when something did not come in time
 */
export async function play(
	parts: DemoParts,
	act: <T>(label: string, fn: () => Promise<T>) => Promise<T>,
): Promise<string> {
	const { desk, settings } = parts.emulator;
	const { conversationId } = await act('The customer writes', () => say(parts, words.asks));
	const arrives = (what: string, matches: (item: TriggerItem) => boolean) =>
		parts.executions.waitFor(`${what} from Dynamics 365`, (execution) => {
			const item = triggerItem(execution, parts.trigger);
			return item?.conversationId === conversationId && matches(item);
		});

	await act('A representative accepts', async () => {
		const { createdAt } = desk.get(conversationId);
		// When somebody joins, the context is read, which may lag the start of a conversation.
		await waitFor('the context', 30_000, () => Date.now() - createdAt >= settings.contextLagMs);
		desk.accept(conversationId, { agentName: representative });
		await arrives('a representative who joined', (item) => item.eventCategory === 'agentJoined');
	});
	await act('The representative types', async () => {
		desk.typing(conversationId);
		await arrives('a typing indicator', (item) => item.eventType === 'typing');
	});
	await act('The representative answers, with a picture', async () => {
		const file = { name: 'noise-levels.png', contentType: 'image/png', data: noisePicture() };
		desk.reply(conversationId, { text: words.answers, files: [file] });
		await arrives('a message', (item) => item.eventType === 'message');
	});
	await act('The customer replies', () => say(parts, words.thanks));
	await act('An AI agent offers an appointment in a custom event', async () => {
		desk.customEvent(conversationId, offer);
		await arrives('a custom event', (item) => item.eventType === 'customEvent');
	});
	await act('The representative closes the conversation', async () => {
		desk.close(conversationId);
		await parts.emulator.idle();
	});
	await act('n8n waits for the transcript', async () => {
		await arrives('the end of the conversation', (item) => item.conversationEnded === true);
	});
	await act('All runs end', async () => {
		await parts.emulator.idle();
		await parts.executions.waitUntilIdle();
	});
	return conversationId;
}

async function say({ customerWebhook, executions }: DemoParts, text: string): Promise<Sent> {
	const message: CustomerMessage = { ...customer, text };
	const sent = await write(customerWebhook, message);
	await executions.waitFor(`the customer's "${text}"`, ({ runs }) =>
		runs.some(({ items }) => (items[0]?.body as CustomerMessage | undefined)?.text === text),
	);
	return sent;
}
