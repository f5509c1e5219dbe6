import { mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import installations from './installations.json';

/** The folder with the logs and user folders of every n8n that was started, and the packages that they load. */
export const userFolder = join(__dirname, '.n8n');

/** An installed n8n, and the Node.js that runs it. */
export interface Installation {
	/** The folder whose node_modules has n8n, absolute. */
	folder: string;
	/** The path of the Node.js binary. */
	node: string;
	/** Environment variables that this version needs. */
	env?: NodeJS.ProcessEnv;
}

const [ownVersion] = Object.keys(installations) as [string];

/**
 * Describes where install.mjs installs a version of n8n. It need not be installed yet.
 * @param version one of installations.json, or any that npm has, such as `latest`; the first of installations.json by default.
 */
export function installationOf(version = ownVersion): Installation {
	const known: Record<string, { folder: string; ownNode?: boolean; env?: NodeJS.ProcessEnv }> = installations;
	const { folder: name, ownNode, env } = known[version] ?? { folder: `.n8n/n8n-${version}`, ownNode: true };
	const folder = join(__dirname, name);
	const binary = process.platform === 'win32' ? 'node.exe' : 'node';
	return { folder, env, node: ownNode ? join(folder, 'node_modules/node/bin', binary) : process.execPath };
}

/**
 * Makes an n8n user folder for this process alone, so that other runs do not interfere. It contains only the package.
 * Folders of processes that have ended are removed.
 * @param name distinguishes several n8n of one process.
 * @param packages the folder in which n8n keeps community packages; the new folder has a link to it.
 * @returns the path of the folder, for `startN8n`.
 */
export function makeRunFolder(name = '', packages = join(userFolder, '.n8n', 'nodes')): string {
	mkdirSync(userFolder, { recursive: true });
	for (const other of readdirSync(userFolder)) {
		const pid = /^run-(\d+)(-|$)/.exec(other)?.[1];
		if (pid && !isRunning(Number(pid))) rmSync(join(userFolder, other), { recursive: true, force: true });
	}
	const folder = join(userFolder, `run-${process.pid}${name && `-${name}`}`);
	rmSync(folder, { recursive: true, force: true });
	mkdirSync(join(folder, '.n8n'), { recursive: true });
	// Windows lets every user create junctions. Other systems ignore the type.
	symlinkSync(packages, join(folder, '.n8n', 'nodes'), 'junction');
	return folder;
}

function isRunning(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch {
		return false;
	}
}
