import { isObject } from '../contract/open';
import type { AvailabilitySettings } from '../settings';
import { DeskError } from './representatives';

const MOST = 10_000;
const LONGEST_WAIT_SECONDS = 86_400;

/** Reads one field. @throws DeskError, with what to change, for a value that it cannot have */
type Read = (value: unknown, name: string) => boolean | number | string | null;

const flag: Read = (value, name) => {
	if (typeof value === 'boolean') return value;
	throw new DeskError(400, `${name} must be true or false.`);
};

const whole =
	(most: number): Read =>
	(value, name) => {
		if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most) return value;
		throw new DeskError(400, `${name} must be a whole number from 0 to ${most}.`);
	};

const orNull =
	(read: Read): Read =>
	(value, name) =>
		value === null ? null : read(value, name);

/** A point in time, in the form that Dataverse has: without fractions of a second. */
const time: Read = (value, name) => {
	const epoch = typeof value === 'string' ? Date.parse(value) : NaN;
	if (Number.isNaN(epoch)) throw new DeskError(400, `${name} must be a date and time in ISO 8601, or null.`);
	return new Date(epoch).toISOString().replace(/\.\d+Z$/, 'Z');
};

/** What a person at the desk can set. The form of the answer is for tests only. */
const FIELDS = {
	isOpen: flag,
	opensAt: orNull(time),
	closesAt: orNull(time),
	representatives: whole(MOST),
	aiAgent: flag,
	waitingBefore: whole(MOST),
	averageWaitSeconds: orNull(whole(LONGEST_WAIT_SECONDS)),
} satisfies Partial<Record<keyof AvailabilitySettings, Read>>;

type Settable = Pick<AvailabilitySettings, keyof typeof FIELDS>;

/** The part of the settings that a person at the desk sees and sets. */
export function shownAvailability(settings: AvailabilitySettings): Settable {
	const { isOpen, opensAt, closesAt, representatives, aiAgent, waitingBefore, averageWaitSeconds } = settings;
	return { isOpen, opensAt, closesAt, representatives, aiAgent, waitingBefore, averageWaitSeconds };
}

/**
 * Sets what a body names, and leaves the rest as it is.
 *
 * @throws DeskError for a field that there is not, or a value that it cannot have; then nothing is changed
 */
export function setAvailability(settings: AvailabilitySettings, body: unknown): void {
	if (!isObject(body)) throw new DeskError(400, 'The availability must be a JSON object.');
	const fields: Record<string, Read | undefined> = FIELDS;
	const changes = Object.entries(body).map(([name, value]) => {
		const read = Object.hasOwn(fields, name) ? fields[name] : undefined;
		if (!read) throw new DeskError(400, `The availability has no field ${name}.`);
		return [name, read(value, name)] as const;
	});
	Object.assign(settings, Object.fromEntries(changes));
}
