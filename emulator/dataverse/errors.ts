import { statusOfCode } from '../contract/open';
import { document, type Table } from './schema';

/** An error of Dataverse. */
export class DataverseError extends Error {
	readonly status: number;

	/**
	 * @param code in hexadecimal; empty where Dataverse gives none
	 * @param status only for a code that has none of its own
	 */
	constructor(
		readonly code: string,
		message: string,
		status?: number,
	) {
		super(message);
		this.status = status ?? statusOfCode(document, code);
	}
}

const MORE =
	'For more information on this error please follow this help link https://go.microsoft.com/fwlink/?linkid=2195293';

/** The error for a body that cannot be read. Microsoft's text is followed by a stack trace. */
export const badPayload = ({ entitySet }: Table, reason: string) =>
	new DataverseError(
		'0x80048d19',
		`Error identified in Payload provided by the user for Entity :'${entitySet}', ${MORE}  ---->  InnerException : ${reason}`,
	);

/** The error for an argument of an action. */
export const badAction = (reason: string) =>
	new DataverseError(
		'0x80048d19',
		`Error identified in Payload provided by the user for Entity :'', ${MORE}  ---->  InnerException : Microsoft.OData.ODataException: ${reason}`,
	);

export const badQuery = (message: string) => new DataverseError('0x80060888', message);

export const badKey = () => badQuery('Bad Request - Error in query syntax.');

export const unknownColumn = (name: string, { logicalName }: Table) =>
	badQuery(`Could not find a property named '${name}' on type 'Microsoft.Dynamics.CRM.${logicalName}'.`);

/** The error for what a real environment may do but the emulator does not. It must not look like an error of Dataverse. */
export const notEmulated = (what: string) => new DataverseError('', `${what} is not emulated.`, 501);

export const missingRecord = ({ logicalName }: Table, id: string) =>
	new DataverseError('0x80040217', `Entity '${logicalName}' With Id = ${id} Does Not Exist`);

export const duplicateRecord = () =>
	new DataverseError('0x80040237', 'A record with matching key values already exists.');

export const otherVersion = () =>
	new DataverseError(
		'0x80060882',
		"The version of the existing record doesn't match the RowVersion property provided.",
	);
