import { document as communication } from '../communication/errors';
import { isObject, type Json, objectAt } from '../contract/open';
import { document as dataverse } from '../dataverse/schema';
import { document as messaging } from '../messaging/validate';
import type { FaultAction, FaultRule, Settings } from '../settings';
import { DeskError } from './representatives';

/** The calls of one service, for a person to choose from. */
export interface ServiceCalls {
	name: string;
	operationIds: string[];
}

const operationIdsOf = (document: Json): string[] =>
	Object.values(objectAt(document, 'paths'))
		.flatMap((item) => Object.values(objectAt(item)))
		.map((operation) => objectAt(operation).operationId)
		.filter((operationId): operationId is string => typeof operationId === 'string');

/** Every call that a rule can be for. */
export const SERVICE_CALLS: readonly ServiceCalls[] = [
	{ name: 'Access tokens', operationIds: ['token'] },
	{ name: 'Messaging API', operationIds: operationIdsOf(messaging) },
	{ name: 'Dataverse', operationIds: operationIdsOf(dataverse) },
	{ name: 'Azure Communication Services', operationIds: operationIdsOf(communication) },
];
const OPERATION_IDS = new Set(SERVICE_CALLS.flatMap(({ operationIds }) => operationIds));

const NAMED_ACTIONS = ['resetBefore', 'resetAfter', 'revokeTokens', 'rotateKeys'] as const;
const LONGEST_DELAY_MS = 600_000;
const LONGEST_RETRY_AFTER = 3_600;
const MOST_TIMES = 1_000;

/** @throws DeskError for anything but an object that has these keys only */
function readObject(value: unknown, name: string, keys: string[]): Json {
	if (!isObject(value)) throw new DeskError(400, `${name} must be a JSON object.`);
	const unknown = Object.keys(value).find((key) => !keys.includes(key));
	if (unknown !== undefined) throw new DeskError(400, `${name} has no field ${unknown}.`);
	return value;
}

/** @throws DeskError for anything but a whole number in the range */
function readWhole(value: unknown, name: string, least: number, most: number): number {
	if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
	throw new DeskError(400, `${name} must be a whole number from ${least} to ${most}.`);
}

function readAction(value: unknown): FaultAction {
	const named = NAMED_ACTIONS.find((one) => one === value);
	if (named) return named;
	if (isObject(value) && 'delayMs' in value) {
		const { delayMs } = readObject(value, 'action', ['delayMs']);
		return { delayMs: readWhole(delayMs, 'delayMs', 0, LONGEST_DELAY_MS) };
	}
	if (isObject(value) && 'status' in value) {
		const { retryAfter, status } = readObject(value, 'action', ['status', 'retryAfter']);
		return {
			status: readWhole(status, 'status', 400, 599),
			...(retryAfter !== undefined && {
				retryAfter: readWhole(retryAfter, 'retryAfter', 0, LONGEST_RETRY_AFTER),
			}),
		};
	}
	const names = NAMED_ACTIONS.join(', ');
	throw new DeskError(400, `action must be ${names}, or an object with delayMs or status.`);
}

function readMatch(value: unknown): NonNullable<FaultRule['match']> {
	const { conversationId, operationId } = readObject(value, 'match', ['operationId', 'conversationId']);
	const isKnown =
		operationId === undefined || (typeof operationId === 'string' && OPERATION_IDS.has(operationId));
	if (!isKnown) throw new DeskError(400, 'operationId must be that of a call, or token.');
	const isId = conversationId === undefined || (typeof conversationId === 'string' && conversationId !== '');
	if (!isId) throw new DeskError(400, 'conversationId must be the id of a conversation.');
	return {
		...(operationId !== undefined && { operationId }),
		...(conversationId !== undefined && { conversationId }),
	};
}

/**
 * Reads a rule from JSON.
 *
 * @throws DeskError, with what to change, when it is none
 */
export function readRule(body: unknown): FaultRule {
	const { action, match, times } = readObject(body, 'A rule', ['action', 'match', 'times']);
	return {
		action: readAction(action),
		...(match !== undefined && { match: readMatch(match) }),
		...(times !== undefined && { times: readWhole(times, 'times', 1, MOST_TIMES) }),
	};
}

const isLeft = ({ times = 1 }: FaultRule): boolean => times > 0;

/** The fault rules that still apply, each with an id, as the desk shows and changes them. */
export class Faults {
	/** Kept beside the rules, because code that embeds the emulator changes the list too. */
	private readonly ids = new WeakMap<FaultRule, number>();
	private lastId = 0;

	constructor(private readonly settings: Settings) {}

	/** In the order in which they are tried. */
	list(): (FaultRule & { id: number })[] {
		return this.settings.faults.filter(isLeft).map((rule) => ({ ...rule, id: this.idOf(rule) }));
	}

	/** Puts the new rule before all others, because the person wants to see its effect next. */
	add(rule: FaultRule): void {
		this.settings.faults = [rule, ...this.settings.faults.filter(isLeft)];
	}

	/** @throws DeskError when there is no such rule, or it no longer applies */
	remove(id: number): void {
		const kept = this.settings.faults.filter((rule) => this.idOf(rule) !== id);
		if (kept.length === this.settings.faults.length) throw new DeskError(404, 'There is no such rule.');
		this.settings.faults = kept;
	}

	clear(): void {
		this.settings.faults = [];
	}

	private idOf(rule: FaultRule): number {
		const id = this.ids.get(rule) ?? ++this.lastId;
		this.ids.set(rule, id);
		return id;
	}
}
