import { randomUUID } from 'node:crypto';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { type CommunicationParts, communicationHandler } from './communication/handler';
import { objectAt } from './contract/open';
import { type DataverseParts, dataverseHandler } from './dataverse/handler';
import { entraRouter } from './entra/handler';
import { problemOf, problemOfFault, ServiceError } from './messaging/errors';
import { type MessagingHandlerParts, messagingHandler, sendAnswer } from './messaging/handler';

/** The organisation's limit for attachments is up to 128 MB, and base64 adds a third. */
const BODY_LIMIT = '200mb';

/** Serves all services on one port: token authority, Messaging API, Dataverse, Azure Communication Services and attachment host. */
export function createService(parts: MessagingHandlerParts & DataverseParts & CommunicationParts): Express {
	const { attachments, settings } = parts;
	const app = express();
	app.disable('x-powered-by');
	app.disable('etag');
	app.use((_request, response, next) => {
		response.setHeader('Date', new Date(Date.now() + settings.clockSkewMs).toUTCString());
		next();
	});
	app.use(express.raw({ type: () => true, limit: BODY_LIMIT }));
	// Entra's own errors have Entra's form. Other injected errors have that of the Messaging API.
	app.use(entraRouter(parts, (fault) => problemOfFault(fault, settings), sendAnswer));
	app.get('/attachments/:id/:name', ({ params: { id } }, response) => {
		const file = attachments.find(id);
		if (!file) response.status(404).end();
		else response.setHeader('Content-Type', file.contentType).end(file.data);
	});
	app.use('/api/v1.0/consumer', messagingHandler(parts));
	app.use('/api/data', dataverseHandler(parts));
	app.use('/messages', communicationHandler(parts));
	// Handles a body that is too large or cannot be unpacked. Express recognises an error handler by its four parameters.
	app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
		const { status: given } = objectAt(error);
		const status = typeof given === 'number' ? given : 500;
		const detail = error instanceof Error ? error.message : String(error);
		response.setHeader('x-ms-correlation-id', randomUUID());
		sendAnswer(
			response,
			problemOf(new ServiceError(null, detail, { status, title: 'Request failed' }), settings),
		);
	});
	return app;
}
