/** Prints what was checked and how it went, and gives the exit code. */
export function report(name: string, checks: Record<string, boolean>): number {
	const failed = Object.entries(checks).filter(([, good]) => !good);
	for (const [what] of failed) console.log(`  ✗ ${what}`);
	console.log(`${name}: ${Object.keys(checks).length - failed.length} passed, ${failed.length} failed`);
	return failed.length === 0 ? 0 : 1;
}

/** Runs a script's main function and ends the process with its exit code. */
export function runMain(main: () => Promise<number>): void {
	main().then(
		(code) => process.exit(code),
		(error: unknown) => {
			console.error(error);
			process.exit(1);
		},
	);
}
