import { join } from 'node:path';
import { type Json, loadDocument } from '../contract';

/** The contract of Azure Communication Services, `contract.yaml`. */
export const document: Readonly<Json> = loadDocument(join(__dirname, 'contract.yaml'));
