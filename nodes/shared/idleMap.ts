/** How long what nobody uses is kept, milliseconds. */
const MAX_IDLE_MS = 60 * 60_000;

/**
 * Keeps what was made for a key, such as the client of a credential, until nobody has used it for a while: a process that
 * runs for months sees many credentials come and go. What is idle is dropped when the map is used next, so that no timer is
 * needed.
 * @example
 * const clients = new IdleMap<Client>();
 * const client = clients.getOrMake(key, () => new Client(credential));
 */
export class IdleMap<Value> {
	/**
	 * In the order of their last use, so that those that are idle for the longest come first. `usedAt` is by
	 * `performance.now()`, which no change of the machine's clock moves.
	 */
	private readonly entries = new Map<string, { value: Value; usedAt: number }>();

	/** @param maxIdleMs how long what nobody uses is kept, milliseconds. */
	constructor(private readonly maxIdleMs = MAX_IDLE_MS) {}

	/** How many values are kept. */
	get size(): number {
		return this.entries.size;
	}

	/** Returns the value of a key, which counts as its use; where there is none, it is made. Passes on what `make` throws. */
	getOrMake(key: string, make: () => Value): Value {
		const now = performance.now();
		this.dropIdle(now);
		const value = this.entries.get(key)?.value ?? make();
		this.entries.delete(key);
		this.entries.set(key, { value, usedAt: now });
		return value;
	}

	private dropIdle(now: number): void {
		for (const [key, { usedAt }] of this.entries) {
			if (now - usedAt < this.maxIdleMs) return;
			this.entries.delete(key);
		}
	}
}
