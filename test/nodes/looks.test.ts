import type { ICredentialsDecrypted, ICredentialTestFunctions, ILoadOptionsFunctions } from 'n8n-workflow';
import { createServer } from 'node:tls';
import { AzureCommunicationConversations } from '../../nodes/AzureCommunicationConversations/AzureCommunicationConversations.node';
import { Dynamics365Messaging } from '../../nodes/Dynamics365Messaging/Dynamics365Messaging.node';
import { communicationCredential, credentialFor } from '../support/emulator';
import { close, listen } from '../../tools/ports';
import { emulator, run, useEmulator, usePackage } from '../support/operation';

usePackage();
useEmulator();

test('a host that accepts and never answers holds what only looks for 15 seconds', async () => {
	const silent = createServer(emulator.certificate, (socket) => void socket.resume().on('error', () => {}));
	const origin = `https://localhost:${await listen(silent)}`;
	const dynamics = { ...credentialFor(emulator), baseUrl: origin };
	const noAuthority = { ...credentialFor(emulator), authorityHost: origin };
	const communication = { ...communicationCredential(emulator, 'accessKey'), endpoint: origin };
	const stored = (data: object) => ({ id: '1', name: 'x', type: 'x', data }) as ICredentialsDecrypted;
	const editor = {} as ICredentialTestFunctions;
	const list = (data: object) =>
		({
			getCredentials: async () => await Promise.resolve(data),
			getNode: () => ({}),
		}) as unknown as ILoadOptionsFunctions;
	const [ours, azure] = [new Dynamics365Messaging().methods, new AzureCommunicationConversations().methods];
	const timed = async (name: string, work: Promise<unknown>) => {
		const from = Date.now();
		const said = await work.catch((error: unknown) => error);
		const seconds = (Date.now() - from) / 1000;
		return { name, seconds, said: JSON.stringify(said) + String(said) };
	};
	const looks = await Promise.all([
		timed('Test', ours.credentialTest.dynamics365MessagingApiTest.call(editor, stored(dynamics))),
		timed('Test', azure.credentialTest.azureCommunicationServicesApiTest.call(editor, stored(communication))),
		timed('drop-down', ours.listSearch.searchConversations.call(list(dynamics))),
		timed('drop-down', azure.listSearch.searchConversations.call(list(communication))),
		timed('Check Setup', run('channel: checkSetup', {}, { credential: { baseUrl: origin } })),
		timed('Test', ours.credentialTest.dynamics365MessagingApiTest.call(editor, stored(noAuthority))),
	]);
	await close(silent);
	for (const { seconds, said } of looks) {
		expect(seconds).toBeGreaterThan(14);
		expect(seconds).toBeLessThan(25);
		expect(said).toContain('in time');
	}
}, 60_000);
