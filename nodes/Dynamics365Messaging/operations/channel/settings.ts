import type { INodeProperties } from 'n8n-workflow';
import type { ChannelRow } from '../../../../emulator/dataverse/contract';
import { recordLocator } from '../../../shared/action/fields/locator';
import { readText, textField, type TextField } from '../../../shared/action/fields/text';
import type { ParameterReader } from '../../../shared/action/parameters';
import { withoutEmpty } from '../../../shared/json';
import { SURVEY_MODES } from '../../dataverse/channel';
import { TABLES } from '../../dataverse/requests';
import { booleanField } from '../fields';
import { isBlank, valuesOf } from './values';

/** The fields of a survey: that after representatives, or that after AI agents. */
interface SurveyFields {
	enabled: INodeProperties;
	survey: INodeProperties;
	mode: INodeProperties;
	text: TextField;
}

/** How long a survey's text may be. Source: docs/service-facts.md#channel-survey. */
const MAX_TEXT_LENGTH = 200;

const modes: INodeProperties['options'] = [
	{
		name: 'In the Conversation',
		value: 'inConversation',
		description:
			'The questions are asked in the conversation. The Dynamics 365 admin center offers this for live chat only.',
	},
	{ name: 'Link', value: 'link', description: 'A link to the survey is sent in the conversation' },
];

/**
 * Makes the fields of a survey.
 * @param name what their names begin with; @param label what their labels begin with.
 * @param when the end of a sentence: after which conversations it comes.
 * @param which says which survey it is. A whole sentence.
 */
function surveyFields(name: string, label: string, when: string, which: string): SurveyFields {
	return {
		enabled: booleanField(
			`${name}Enabled`,
			`${label} Enabled`,
			`Whether customers get a Customer Voice survey after conversations ${when}`,
		),
		survey: recordLocator(
			{ displayName: label, name: `${name}Id`, description: which },
			'searchSurveys',
			'e.g. d37a58e4-16bc-4f90-9a27-c8e15b04f6d2',
		),
		mode: {
			displayName: `${label} Mode`,
			name: `${name}Mode`,
			type: 'options',
			default: 'link',
			options: modes,
			description: 'How the customer gets the survey',
		},
		text: { name: `${name}Text`, label: `${label} Text`, maxLength: MAX_TEXT_LENGTH },
	};
}

const LISTED = 'Choose it from the list, or give its ID (a GUID).';
const SURVEY = surveyFields(
	'survey',
	'Survey',
	'with representatives',
	`The Customer Voice survey. ${LISTED}`,
);
const AI_AGENT_SURVEY = surveyFields(
	'aiAgentSurvey',
	'AI Agent Survey',
	'that AI agents handled',
	`The Customer Voice survey after conversations that AI agents handled, if it is a different one. ${LISTED}`,
);

const translation = booleanField(
	'translation',
	'Translation',
	'Whether messages are translated in real time between the languages of customer and representative',
);
const language = recordLocator(
	{
		displayName: 'Language',
		name: 'languageId',
		description: `The language of the channel. ${LISTED}`,
	},
	'searchLanguages',
	'e.g. 0b6d4f82-5e17-4c39-a8d0-92f7e3b15c46',
);

const propertiesOf = ({ enabled, survey, mode, text }: SurveyFields): INodeProperties[] => [
	survey,
	enabled,
	mode,
	textField(text, {
		placeholder: 'e.g. How did we do? Please tell us here:',
		description: 'The text before the link to the survey.',
	}),
];

/** The fields for what Dynamics 365 does in a channel's conversations: translation, language and surveys. */
export const settingsFields: INodeProperties[] = [
	...propertiesOf(AI_AGENT_SURVEY),
	language,
	...propertiesOf(SURVEY),
	translation,
];

/** The columns that are cleared where their fields are empty, by the names of the fields. */
export const clearableSettings = {
	[SURVEY.survey.name]: 'msdyn_PostConversationSurvey@odata.bind',
	[SURVEY.text.name]: 'msdyn_postconversationsurveymessagetext',
	[AI_AGENT_SURVEY.survey.name]: 'msdyn_PostConversationSurveySeparateBotSurvey@odata.bind',
	[AI_AGENT_SURVEY.text.name]: 'msdyn_postconversationsurveybotsurveymessagetext',
};

/** Reads the columns of a survey. @throws InputError naming the field. */
function readSurvey(collection: ParameterReader, { enabled, survey, mode, text }: SurveyFields) {
	const values = valuesOf(collection);
	const surveyId = values.located(survey.name, survey.displayName);
	return {
		enabled: values.flag(enabled.name, enabled.displayName),
		mode: values.choice(mode.name, mode.displayName, SURVEY_MODES),
		text: isBlank(collection, text.name) ? '' : readText(collection, text),
		reference: surveyId && `/${TABLES.surveys}(${surveyId})`,
	};
}

/**
 * Reads {@link settingsFields} of a collection into the record's columns; one that is not in it, blank or null is left out.
 * No column needs another. Source: docs/service-facts.md#channel-language and docs/service-facts.md#channel-survey.
 * @throws InputError naming the field.
 */
export function readSettingsFields(collection: ParameterReader): ChannelRow {
	const values = valuesOf(collection);
	const languageId = values.located(language.name, language.displayName);
	const survey = readSurvey(collection, SURVEY);
	const aiAgentSurvey = readSurvey(collection, AI_AGENT_SURVEY);
	return withoutEmpty({
		msdyn_enablerealtimelanguagetranslation: values.flag(translation.name, translation.displayName),
		'msdyn_ocwidgetlanguage@odata.bind': languageId && `/${TABLES.languages}(${languageId})`,
		msdyn_postconversationsurveyenable: survey.enabled,
		msdyn_postconversationsurveymode: survey.mode,
		msdyn_postconversationsurveymessagetext: survey.text,
		'msdyn_PostConversationSurvey@odata.bind': survey.reference,
		msdyn_postconversationsurveybotsurvey: aiAgentSurvey.enabled,
		msdyn_postconversationsurveybotsurveymode: aiAgentSurvey.mode,
		msdyn_postconversationsurveybotsurveymessagetext: aiAgentSurvey.text,
		'msdyn_PostConversationSurveySeparateBotSurvey@odata.bind': aiAgentSurvey.reference,
	});
}
