import type { ILoadOptionsFunctions, ResourceMapperFields } from 'n8n-workflow';
import { toNodeError } from '../../shared/action/nodeErrors';
import { readKey } from '../../shared/json';
import { InputError } from '../../shared/transport/errors';
import { fieldsFor } from '../operations/message/placeholders';
import { readNameAndLanguage } from '../operations/message/readTemplate';
import { readContent } from '../operations/message/templateContent';
import { templateItem } from '../operations/templateItem';
import { connectionOf, templatesOf } from './channelTemplates';

/** Reads the fields of the chosen template. @throws InputError; ServiceError */
async function readFields(context: ILoadOptionsFunctions): Promise<ResourceMapperFields> {
	const chosen = context.getCurrentNodeParameter('template', { extractValue: true });
	if (typeof chosen !== 'string' || chosen === '') {
		return {
			fields: [],
			emptyFieldsNotice: 'Choose a template first. Its placeholders are then shown here.',
		};
	}
	const wanted = readNameAndLanguage(chosen);
	const { connection, client } = await connectionOf(context);
	for await (const entry of client.list(templatesOf(context, connection))) {
		const { name, language, content } = templateItem(entry);
		if (name !== wanted.name || language !== wanted.language) continue;
		const readable = readContent(content);
		if (readable)
			return { fields: fieldsFor(readable), emptyFieldsNotice: 'This template has no placeholders.' };
		throw new InputError(
			'The service does not show what this template says',
			'Enter the template as JSON instead.',
		);
	}
	throw new InputError(`The channel has no template ${wanted.name} in ${wanted.language}`, '');
}

/** Shows a text as it is where the editor takes HTML. */
function escapeHtml(text: string): string {
	return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

/**
 * Gives the resource mapper the placeholders of the chosen template as fields. Where they cannot be read, it says why in
 * their place: n8n shows no error there. Fields that the node has already stay, as n8n takes an error for no change.
 * @throws NodeApiError or NodeOperationError where the node has fields already.
 */
export async function getPlaceholders(this: ILoadOptionsFunctions): Promise<ResourceMapperFields> {
	try {
		return await readFields(this);
	} catch (cause) {
		const error = toNodeError(this.getNode(), cause);
		const schema: unknown = readKey(this.getCurrentNodeParameter('placeholders'), 'schema');
		if (Array.isArray(schema) && schema.length > 0) throw error;
		const notice = [error.message, error.description ?? ''].filter((part) => part !== '').join('. ');
		return { fields: [], emptyFieldsNotice: escapeHtml(notice) };
	}
}
