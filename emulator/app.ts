import { randomUUID } from 'node:crypto';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { type CommunicationParts, communicationFailure, communicationHandler } from './communication/handler';
import { objectAt } from './contract/open';
import { type DataverseParts, dataverseFailure, dataverseHandler } from './dataverse/handler';
import { entraFailure, entraRouter } from './entra/handler';
import { readablePath } from './http/paths';
import type { Failure } from './http/serve';
import { problemOf, problemOfFault, ServiceError } from './messaging/errors';
import { type MessagingHandlerParts, messagingHandler, sendAnswer } from './messaging/handler';

/** The organisation's limit for attachments is up to 128 MB, and base64 adds a third. */
const BODY_LIMIT = '200mb';

/** Makes an error handler of what answers a failure. Express recognises an error handler by its four parameters. */
const onFailure =
	(answer: (response: Response, failure: Failure) => void) =>
	(error: unknown, _request: Request, response: Response, _next: NextFunction): void => {
		const { status } = objectAt(error);
		const detail = error instanceof Error ? error.message : String(error);
		answer(response, { status: typeof status === 'number' ? status : 500, detail });
	};

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
	// Express refuses a broken percent-encoding in the name of no service. `originalUrl` stays as it was sent.
	app.use((request, _response, next) => {
		request.url = readablePath(request.url);
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
	// A body that is too large or cannot be unpacked reaches no service. Each answers it in its own form.
	app.use('/:tenant/oauth2/v2.0/token', onFailure(entraFailure));
	app.use('/api/data', onFailure(dataverseFailure));
	app.use('/messages', onFailure(communicationFailure));
	app.use(
		onFailure((response, { detail, status }) => {
			response.setHeader('x-ms-correlation-id', randomUUID());
			const error = new ServiceError(null, detail, { status, title: 'Request failed' });
			sendAnswer(response, problemOf(error, settings));
		}),
	);
	return app;
}
