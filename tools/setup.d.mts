// What TypeScript has to know of setup.mjs, where the functions are described.
export const root: string;
export class SetupError extends Error {}
export interface RunOptions {
	cwd?: string;
	log?: string;
	env?: NodeJS.ProcessEnv;
	allowFailure?: boolean;
}
export function checkNode(): void;
export function step<T>(label: string, fn: () => Promise<T> | T): Promise<T>;
export function run(command: string, args: string[], options?: RunOptions): Promise<number>;
export function runScript(file: string, args: string[]): Promise<number>;
export function npm(args: string[], options?: RunOptions): Promise<number>;
export function tailOf(file: string, lines?: number): string;
export function ensureInstalled(
	dir: string,
	options?: { rebuild?: string[]; works?: () => boolean },
): Promise<boolean>;
export function ensureBuilt(): Promise<boolean>;
export function hashOf(files: string[]): string;
export function start(main: () => Promise<number>): Promise<void>;
export function commandWorks(command: string, args?: string[]): boolean;
