/**
 * Prints the results of checks.
 * @param checks whether each check passed, by its name.
 * @returns the exit code: 1 when a check failed, else 0.
 */
export function report(name: string, checks: Record<string, boolean>): number {
	const failed = Object.entries(checks).filter(([, good]) => !good);
	for (const [what] of failed) console.log(`  ✗ ${what}`);
	console.log(`${name}: ${Object.keys(checks).length - failed.length} passed, ${failed.length} failed`);
	return failed.length === 0 ? 0 : 1;
}

/** Runs a script's main function, and ends the process with the exit code that it returns; 1 when it throws. */
export function runMain(main: () => Promise<number>): void {
	main().then(
		(code) => process.exit(code),
		(error: unknown) => {
			console.error(error);
			process.exit(1);
		},
	);
}
