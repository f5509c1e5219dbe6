import { isObject, objectAt } from '../contract/open';
import type { Conversation, Conversations } from '../messaging/conversations';
import type { Settings } from '../settings';
import type { World } from '../world';
import { DataverseError } from './errors';
import type { Value } from './schema';
import { tableOf } from './schema';
import type { Tables } from './tables';

/** The parts of the emulator that know how busy the queue is. */
export interface AvailabilityParts {
	world: World;
	settings: Settings;
	tables: Tables;
	conversations: Conversations;
}

const WORKSTREAMS = tableOf('msdyn_liveworkstream');
/** The role that the actions need. */
export const AVAILABILITY_ROLE = 'Omnichannel administrator';

/** What stands for no time: the first and the last of .NET. */
const NOW_WITHIN_HOURS = '0001-01-01T00:00:00Z';
const NEVER = '9999-12-31T23:59:59Z';

const TEXT = 192350000;
const INTEGER = 192350001;

const parsed = (text: string): unknown => {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
};

/** Whether a text is JSON of an object. */
export const isJsonObject = (text: string): boolean => isObject(parsed(text));

/** Whether a text is JSON of context items: each with a text as its value, and its type. */
export function isContextItems(text: string): boolean {
	const items = parsed(text);
	return (
		isObject(items) &&
		Object.values(items).every((item) => {
			const { datatype, isDisplayable, value } = objectAt(item);
			if (typeof value !== 'string' || typeof isDisplayable !== 'boolean') return false;
			return datatype === TEXT || (datatype === INTEGER && /^-?\d+$/.test(value));
		})
	);
}

const missing = (what: string, id: string) =>
	new DataverseError('0x80040217', `${what} With Id = ${id} Does Not Exist`);

const camelCase = (name: string) => name.charAt(0).toLowerCase() + name.slice(1);

/** Answers how available the representatives of the world's one queue are, by the settings and the conversations that wait. */
export class Availability {
	constructor(private readonly parts: AvailabilityParts) {}

	/** Of the queue that a conversation of a workstream would go to. @throws DataverseError */
	before(body: unknown): Record<string, Value> {
		this.demandRole();
		const id = String(objectAt(body).LiveWorkStreamId).toLowerCase();
		if (!this.parts.tables.find(WORKSTREAMS, id)) throw missing("Entity 'msdyn_liveworkstream'", id);
		// That the position is the one which the next customer would have is inferred.
		return this.answer(this.waiting().length + 1);
	}

	/** Of the queue that a conversation waits in. That a closed one is answered as an unknown one is inferred. @throws DataverseError */
	inConversation(body: unknown): Record<string, Value> {
		this.demandRole();
		const id = String(objectAt(body).ConversationId).toLowerCase();
		const conversation = this.parts.conversations.find(id);
		if (!conversation || conversation.state === 'closed') {
			throw missing("Entity 'msdyn_ocliveworkitem'", id);
		}
		// Of a conversation that waits no longer the position is 0. This is inferred.
		return this.answer(this.waiting().indexOf(conversation) + 1);
	}

	private waiting(): Conversation[] {
		return this.parts.conversations.all().filter(({ state }) => state === 'waiting');
	}

	/** @param position among the emulator's own conversations, from 1; 0 for one that does not wait */
	private answer(position: number): Record<string, Value> {
		const { availability } = this.parts.settings;
		const { aiAgent, averageWaitSeconds, closesAt, isOpen, opensAt, representatives, waitingBefore } =
			availability;
		const minutes = averageWaitSeconds === null ? null : Math.round(averageWaitSeconds / 60);
		const answer: Record<string, Value> = {
			QueueId: this.parts.world.queueId,
			IsQueueAvailable: isOpen,
			IsAgentAvailable: representatives > 0 || aiAgent,
			NumberOfExpertsAvailableInQueue: representatives,
			PositionInQueue: position === 0 ? 0 : position + waitingBefore,
			AverageWaitTime: minutes,
			...(availability.hasSeconds && { AverageWaitTimeInSeconds: averageWaitSeconds }),
			NextTransitionTime: (isOpen ? closesAt : opensAt) ?? NEVER,
			StartTimeOfNextOperatingHour: isOpen ? NOW_WITHIN_HOURS : (opensAt ?? NEVER),
			EndTimeOfNextOperatingHour: isOpen ? NOW_WITHIN_HOURS : (closesAt ?? NEVER),
		};
		if (availability.casing === 'pascal') return answer;
		return Object.fromEntries(Object.entries(answer).map(([name, value]) => [camelCase(name), value]));
	}

	private demandRole(): void {
		const { dataverse } = this.parts.settings;
		const { applicationUserId: user } = this.parts.world;
		if (dataverse.role === 'none') {
			throw new DataverseError(
				'0x80042f09',
				`RetrievePrivilegeForUser: The user with id ${user} has not been assigned any roles. They need a role with the prvReadmsdyn_ocliveworkitem privilege.`,
			);
		}
		if (!dataverse.omnichannelAdministrator) {
			throw new DataverseError(
				'0x80040220',
				`Principal user (Id=${user}, type=8, roleCount=1, privilegeCount=12, accessMode='4 Non-interactive'), is missing prvReadmsdyn_ocliveworkitem privilege on OTC=10000 for entity 'msdyn_ocliveworkitem' (LocalizedName='Conversation'). context.Caller=${user}`,
			);
		}
	}
}
