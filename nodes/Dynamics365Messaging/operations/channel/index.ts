import type { Resource } from '../operation';
import { checkSetup } from './checkSetup';
import { create } from './create';
import { remove } from './delete';
import { get } from './get';
import { getMany } from './getMany';
import { linkManagedIdentity } from './linkManagedIdentity';
import { update } from './update';

export const channel: Resource = {
	name: 'Channel',
	value: 'channel',
	firstOperation: 'checkSetup',
	operations: [checkSetup, create, remove, get, getMany, linkManagedIdentity, update],
};
