import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { BinaryDataConfig, BinaryDataService } from 'n8n-core';
import { Container } from '@n8n/di';
import type { BinaryHelperFunctions } from 'n8n-workflow';
import { binaryStore } from '../../../nodes/shared/action/binaryStore';
import { collect } from '../../../nodes/shared/transport/roundTrip';

type Helpers = Pick<BinaryHelperFunctions, 'prepareBinaryData' | 'getBinaryPath'>;

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'binary-store-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** All files below the folder in which n8n keeps them. */
const filesLeft = () =>
	readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());

/** n8n-core's own storage, in one of its modes. */
async function ofN8n(mode: 'default' | 'filesystem'): Promise<Helpers> {
	const config = Container.get(BinaryDataConfig);
	config.mode = mode;
	config.localStoragePath = folder;
	const service = Container.get(BinaryDataService);
	Reflect.set(service, 'managers', {});
	await service.init();
	if (mode === 'default') Reflect.set(service, 'managers', {});
	return {
		getBinaryPath: (id) => service.getPath(id),
		prepareBinaryData: async (data, fileName, mimeType = 'text/plain') =>
			await service.store({ type: 'execution', workflowId: 'w', executionId: '1' }, data, {
				fileName,
				mimeType,
				data: '',
			}),
	};
}

/** How n8n 1 stores on disk: in place, so that what breaks off stays there. */
const ofN8n1 = async (): Promise<Helpers> => ({
	getBinaryPath: (id) => join(folder, id.replace('filesystem-v2:', '')),
	prepareBinaryData: async (data, fileName, mimeType = '') => {
		const id = randomUUID();
		await writeFile(join(folder, id), data);
		await writeFile(join(folder, `${id}.metadata`), '{}');
		return { id: `filesystem-v2:${id}`, data: 'filesystem-v2', fileName, mimeType };
	},
});

/** How n8n stores in its database or an object store: whole, and with no path. */
const stored: Buffer[] = [];
const elsewhere = async (): Promise<Helpers> => ({
	getBinaryPath: (id) => id,
	prepareBinaryData: async (data, fileName, mimeType = '') => {
		const pieces: Buffer[] = [];
		if (Buffer.isBuffer(data)) pieces.push(data);
		else {
			await new Promise((resolve, reject) =>
				data
					.on('data', (piece: Buffer) => pieces.push(piece))
					.on('end', resolve)
					.on('error', reject),
			);
		}
		stored.push(Buffer.concat(pieces));
		return { id: `database:${stored.length}`, data: 'database', fileName, mimeType };
	},
});

const STORES: Array<[string, () => Promise<Helpers>]> = [
	['memory', async () => await ofN8n('default')],
	['disk', async () => await ofN8n('filesystem')],
	['disk, by n8n 1', ofN8n1],
	['a database', elsewhere],
];

/** Pieces that come one by one; how many were asked for, and whether their end was told. */
function piecesOf(count: number, size: number, breaksOff: boolean) {
	const seen = { asked: 0, isEnded: false };
	const pieces = (async function* () {
		try {
			for (; seen.asked < count; seen.asked++) {
				await turn();
				yield Buffer.alloc(size, seen.asked);
			}
			if (breaksOff) throw new Error('it broke off');
		} finally {
			seen.isEnded = true;
		}
	})();
	return { seen, pieces };
}

describe.each(STORES)('in %s', (_, storeOf) => {
	beforeEach(() => void (stored.length = 0));

	test('a file is stored as its pieces come, with its name and type', async () => {
		const helpers = await storeOf();
		const { pieces } = piecesOf(40, 100_000, false);
		const file = await binaryStore(helpers).write(pieces, 'a.pdf', 'application/pdf');
		expect(file).toMatchObject({ fileName: 'a.pdf', mimeType: 'application/pdf' });
		const expected = await collect(piecesOf(40, 100_000, false).pieces);
		if (!file.id) expect(file.data === expected.toString('base64')).toBe(true);
		else if (stored.length > 0) expect(stored.map((one) => one.equals(expected))).toEqual([true]);
		else expect(readFileSync(helpers.getBinaryPath(file.id)).equals(expected)).toBe(true);
	});

	test.each([0, 1, 40])('of a file that breaks off after %i pieces, nothing stays', async (count) => {
		const helpers = await storeOf();
		const { pieces, seen } = piecesOf(count, 100_000, true);
		await expect(binaryStore(helpers).write(pieces, 'a.pdf', 'application/pdf')).rejects.toThrow(
			'it broke off',
		);
		expect(seen.isEnded).toBe(true);
		expect(filesLeft()).toEqual([]);
		expect(stored.length).toBe(0);
	});

	test('a file that nobody will use can be removed from the disk', async () => {
		const store = binaryStore(await storeOf());
		const file = await store.write(piecesOf(1, 10, false).pieces, 'a.pdf', 'application/pdf');
		await store.discard(file);
		await store.discard(file);
		expect(filesLeft()).toEqual([]);
	});
});

test('what the storage fails with is passed on, and the pieces are ended', async () => {
	const full = async () => await Promise.reject(new Error('no space left'));
	const store = binaryStore({ getBinaryPath: (id) => id, prepareBinaryData: full });
	const { pieces } = piecesOf(3, 10, false);
	await expect(store.write(pieces, 'a.pdf', 'application/pdf')).rejects.toThrow('no space left');
});

test('the pieces are read no faster than the storage takes them', async () => {
	const { pieces, seen } = piecesOf(100, 300_000, false);
	let most = 0;
	let taken = 0;
	const store = binaryStore({
		getBinaryPath: (id) => id,
		prepareBinaryData: async (data) => {
			if (Buffer.isBuffer(data)) throw new Error('it was collected');
			for await (const piece of data as AsyncIterable<Buffer>) {
				await turn();
				taken += piece.length;
				most = Math.max(most, seen.asked * 300_000 - taken);
			}
			return { data: '', mimeType: '' };
		},
	});
	await store.write(pieces, 'a.pdf', 'application/pdf');
	expect(taken).toBe(100 * 300_000);
	expect(most).toBeLessThan(4 * 300_000);
});

test('a file without a type has that of its name, and is not collected for it', async () => {
	const given: unknown[] = [];
	const store = binaryStore({
		getBinaryPath: (id) => id,
		prepareBinaryData: async (data, fileName, mimeType) => {
			given.push(Buffer.isBuffer(data), fileName, mimeType);
			return { data: '', mimeType: '' };
		},
	});
	await store.write(piecesOf(2, 3, false).pieces, 'Photo.JPG');
	expect(given).toEqual([false, 'Photo.JPG', 'image/jpeg']);
});

test('n8n looks at the bytes of a file without a type, whose name does not tell it', async () => {
	let whole: unknown;
	const store = binaryStore({
		getBinaryPath: (id) => id,
		prepareBinaryData: async (data) => {
			whole = data;
			return { data: '', mimeType: '' };
		},
	});
	await store.write(piecesOf(2, 3, false).pieces, 'a');
	expect(whole).toEqual(Buffer.from([0, 0, 0, 1, 1, 1]));
});
