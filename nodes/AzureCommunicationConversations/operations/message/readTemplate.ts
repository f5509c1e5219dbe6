import { readJson } from '../../../shared/action/fields/json';
import type { ParameterReader } from '../../../shared/action/parameters';
import { cut } from '../../../shared/text';
import { InputError } from '../../../shared/transport/errors';
import { readPlaceholders } from './placeholders';
import { checkTemplate, isLanguage, type CheckedTemplate, type Template } from './template';

/** As many characters of what was given as an error shows. */
const SHOWN_LENGTH = 100;

/** Makes the value of a template in the list. {@link readNameAndLanguage} reads it. */
export function templateChoice({ name, language }: Pick<Template, 'name' | 'language'>): string {
	return `${name}|${language}`;
}

/**
 * Reads the name and language of a template, as the list and people write them: `name|language`, also with blanks.
 * @throws InputError where one of them is missing, or the language is none.
 */
export function readNameAndLanguage(given: string): Pick<Template, 'name' | 'language'> {
	const fix =
		'Choose it from the list, or enter its name and language with a | between them, such as appointment_reminder|en_US.';
	if (given === '') throw new InputError('Template is empty', fix);
	const bar = given.lastIndexOf('|');
	const name = given.slice(0, Math.max(0, bar)).trim();
	const language = given.slice(bar + 1).trim();
	if (bar < 0) throw new InputError(`Template has no language: ${cut(given, SHOWN_LENGTH)}`, fix);
	if (name === '') throw new InputError(`Template has no name: ${cut(given, SHOWN_LENGTH)}`, fix);
	if (!isLanguage(language)) {
		throw new InputError(
			language === ''
				? `Template has no language: ${cut(given, SHOWN_LENGTH)}`
				: `Template has a language that is no language code: ${cut(language, SHOWN_LENGTH)}`,
			fix,
		);
	}
	return { name, language };
}

/**
 * Reads a template from its fields or from JSON, and checks it.
 * @throws InputError with the name of the field, and what {@link checkTemplate} throws.
 */
export function readTemplate(parameters: ParameterReader): CheckedTemplate {
	if (parameters.text('templateSource', 'Enter Template As') !== 'json') {
		const chosen = readNameAndLanguage(parameters.locator('template', 'Template'));
		return {
			template: { ...chosen, ...readPlaceholders(parameters.collection('placeholders')) },
			unused: [],
		};
	}
	const json = readJson(parameters.raw('templateJson'), 'Template (JSON)');
	if (json === undefined) {
		throw new InputError(
			'Template (JSON) is not JSON',
			'Give an object with name, language, values and bindings.',
		);
	}
	return checkTemplate(json);
}
