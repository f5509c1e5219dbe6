import { MEGABYTE } from './limits';

/** What is too much for a budget, in words for the person who reads the item. */
class BudgetExceeded extends Error {
	constructor(reason: string) {
		super(reason);
		this.name = 'BudgetExceeded';
	}
}

/** What the files of one delivery may have together. Most have one file of 5 MB at the most. */
const DELIVERY_BYTES = 25 * MEGABYTE;
/** What all deliveries that are not answered yet may have in this process, so that a burst of them cannot exhaust its memory. */
const PROCESS_BYTES = 64 * MEGABYTE;

/** The bytes that all budgets of this process hold. */
let heldInProcess = 0;

/** Bytes of files that the deliveries of this process hold in memory now. */
export function heldBytes(): number {
	return heldInProcess;
}

/** The bytes that the files of one delivery may take, within those of the process. */
export class ByteBudget {
	private held = 0;

	/** @param maxFileBytes what one file may have. One file of that size fits in any case, if there is no other. */
	constructor(private readonly maxFileBytes: number) {}

	/** @throws BudgetExceeded with the reason. */
	take(bytes: number): void {
		const ofDelivery = Math.max(DELIVERY_BYTES, this.maxFileBytes);
		if (this.held + bytes > ofDelivery) {
			throw new BudgetExceeded(
				`the files of the message are larger than ${ofDelivery / MEGABYTE} MB together`,
			);
		}
		if (heldInProcess + bytes > Math.max(PROCESS_BYTES, this.maxFileBytes)) {
			throw new BudgetExceeded('too many files are being fetched at this moment');
		}
		this.held += bytes;
		heldInProcess += bytes;
	}

	/** Gives bytes back: those of a file that is not kept, or, without a number, all of them. */
	release(bytes: number = this.held): void {
		// A file that was given up may end long after all was released.
		const given = Math.min(bytes, this.held);
		this.held -= given;
		heldInProcess -= given;
	}
}
