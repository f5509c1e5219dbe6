import { join } from 'node:path';
import { type Json, loadDocument } from '../contract';

/** The contract of Azure Communication Services, `communication.yaml`. */
export const document: Readonly<Json> = loadDocument(join(__dirname, 'communication.yaml'));
