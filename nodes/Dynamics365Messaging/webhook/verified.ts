/** The triggers of this process to which a delivery with an accepted token came. Bounded by the active workflows. */
const verified = new Set<string>();

/** Notes that a delivery with an accepted token came. @param trigger names the workflow and the node. */
export function noteVerified(trigger: string): void {
	verified.add(trigger);
}

/** Whether one came since this process began. */
export function isVerified(trigger: string): boolean {
	return verified.has(trigger);
}
