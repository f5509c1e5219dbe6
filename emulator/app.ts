import { randomUUID } from 'node:crypto';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { type CommunicationParts, communicationHandler } from './communication/handler';
import { type DataverseParts, dataverseHandler } from './dataverse/handler';
import { entraRouter } from './entra/handler';
import { problemOf, problemOfFault, ServiceError } from './messaging/errors';
import { type MessagingHandlerParts, messagingHandler, sendAnswer } from './messaging/handler';

/** Generous: the organisation's limit for attachments is up to 128 MB, and base64 adds a third. */
const BODY_LIMIT = '200mb';

export type ServiceParts = MessagingHandlerParts & DataverseParts & CommunicationParts;

/** All services behind one port: token authority, Messaging API, Dataverse, Azure Communication Services and attachment host. */
export function createService(parts: ServiceParts): Express {
	const { attachments, settings } = parts;
	const app = express();
	app.disable('x-powered-by');
	app.disable('etag');
	app.use((_request, response, next) => {
		response.setHeader('Date', new Date(Date.now() + settings.clockSkewMs).toUTCString());
		next();
	});
	app.use(express.raw({ type: () => true, limit: BODY_LIMIT }));
	// Entra's own errors have Entra's form; what else is injected has that of the Messaging API.
	app.use(entraRouter(parts, (fault) => problemOfFault(fault, settings), sendAnswer));
	app.get('/attachments/:id/:name', ({ params: { id } }, response) => {
		const file = attachments.find(id);
		if (!file) response.status(404).end();
		else response.setHeader('Content-Type', file.contentType).end(file.data);
	});
	app.use('/api/v1.0/consumer', messagingHandler(parts));
	app.use('/api/data', dataverseHandler(parts));
	app.use('/messages', communicationHandler(parts));
	// A body that is too large, or one that cannot be unpacked. Express knows an error handler by its four parameters.
	app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
		const given: unknown = error instanceof Error ? Reflect.get(error, 'status') : undefined;
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
