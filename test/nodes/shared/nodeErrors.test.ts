import type { INode } from 'n8n-workflow';
import { toNodeError } from '../../../nodes/shared/action/nodeErrors';
import { InputError, ServiceError } from '../../../nodes/shared/transport/errors';

const node: INode = {
	id: '1',
	name: 'Dynamics',
	type: 'x',
	typeVersion: 1,
	position: [0, 0],
	parameters: {},
};
const message =
	'Another active workflow has this channel: https://n8n.enoent.example. Deactivate that workflow first.';

test.each([
	new InputError(message, 'Deactivate that workflow first.'),
	new ServiceError({ message, description: 'Deactivate that workflow first.', outcome: 'notSent' }),
])('a message in which a code of Node.js stands is shown as it is: %p', (error) => {
	expect(toNodeError(node, error)).toMatchObject({ message });
});
