import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { SendMessageRequest } from '../../emulator/communication/contract';
import { validateRequest } from '../../emulator/messaging/validate';
import type { ChannelRow } from '../../emulator/dataverse/contract';
import type { Activity, CreateConversation } from '../../emulator/messaging/contract';

const root = join(__dirname, '..', '..');

test('the contracts are valid OpenAPI for redocly and swagger-parser', () => {
	// In a process of its own: redocly is an ES module, which jest's loader does not take.
	const { stdout } = spawnSync(process.execPath, ['scripts/contracts.mjs', '--check'], {
		cwd: root,
		encoding: 'utf8',
	});
	expect(stdout).toBe('');
});

// The compiler checks the following (npm run typecheck): each marked line must not compile.
const place = { channelId: 'x', conversation: { id: 'x' } };
const bodies = {
	activities: [
		{ type: 'message', ...place, text: 'x' },
		{ type: 'event', name: 'MessageRead', ...place, value: { messageId: 'x' } },
		// @ts-expect-error a key of another casing
		{ type: 'message', ...place, channelID: 'x' },
		// @ts-expect-error a type that the service does not have
		{ type: 'conversationUpdate', ...place },
		// @ts-expect-error typing needs a sender
		{ type: 'typing', ...place },
	] satisfies Activity[],
	creates: [
		{ customercontext: { customerid: 'x' } },
		// @ts-expect-error the keys are in lower case
		{ customerContext: {} },
	] satisfies CreateConversation[],
	rows: [
		{ msdyn_name: 'x', 'managedidentityid@odata.bind': null },
		// @ts-expect-error a look-up is written by its navigation property
		{ _managedidentityid_value: 'x' },
	] satisfies ChannelRow[],
	sends: [
		{ request: { kind: 'text', content: 'x' } },
		// @ts-expect-error audio has no caption
		{ request: { kind: 'audio', mediaUri: 'x', caption: 'x' } },
	] satisfies SendMessageRequest[],
};

test.each([
	['POST', '/api/v1.0/consumer/conversation/create', bodies.creates[1]],
	['POST', '/api/v1.0/consumer/conversation/3f2504e0-4f89-41d3-9a0c-0305e82c3301', bodies.activities[3]],
])('%s %s refuses what does not compile', (method, path, body) => {
	expect(validateRequest({ method, path, headers: {}, body }).errors).not.toEqual([]);
});
