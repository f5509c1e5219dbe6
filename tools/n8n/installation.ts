import { mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import installations from './installations.json';

/** All that is kept of the n8n that were started: their logs, their user folders, the packages that they load. */
export const userFolder = join(__dirname, '.n8n');

/** An n8n that npm has installed, and the Node.js that runs it. */
export interface Installation {
	/** The folder whose node_modules has n8n. */
	folder: string;
	/** The binary of Node.js. */
	node: string;
	/** What this version has to be told. */
	env?: NodeJS.ProcessEnv;
}

const [ownVersion] = Object.keys(installations) as [string];

/** Where install.mjs installs a version of n8n: that of this folder, one of installations.json, or any that npm knows. */
export function installationOf(version = ownVersion): Installation {
	const known: Record<string, { folder: string; ownNode?: boolean; env?: NodeJS.ProcessEnv }> = installations;
	const { folder: name, ownNode, env } = known[version] ?? { folder: `.n8n/n8n-${version}`, ownNode: true };
	const folder = join(__dirname, name);
	const binary = process.platform === 'win32' ? 'node.exe' : 'node';
	return { folder, env, node: ownNode ? join(folder, 'node_modules/node/bin', binary) : process.execPath };
}

/**
 * n8n's user folder for this run alone, so that one that still runs, or was killed, is in nobody's way; it has
 * nothing in it but the package. What runs that have ended left behind is removed.
 * @param name tells several n8n of one run apart.
 * @param packages the folder in which n8n keeps community packages.
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
	// A junction is what Windows allows to everybody; elsewhere the word means nothing.
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
