import type { IncomingMessage, ServerResponse } from 'node:http';
import { refusal } from './admission.ts';
import { AwsError, type AwsReply, type AwsService, errorReply } from './aws-wire.ts';
import { readBody } from './body.ts';
import { targetOf } from './routes.ts';

/** One AWS-shaped exchange: admit, read, call, answer. */

/** DynamoDB's own limit, the largest of the services here. */
const BODY_LIMIT_BYTES = 16 * 1024 * 1024;

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly signal: AbortSignal;
  readonly service: AwsService | undefined;
  readonly newRequestId: () => string;
  readonly onError: (error: unknown) => void;
}

export const answerAwsCall = async (exchange: Exchange): Promise<void> => {
  const { request, response } = exchange;
  const reply = await replyTo(exchange);
  if (reply === undefined || response.destroyed) return;
  response.writeHead(reply.status, {
    ...reply.headers,
    'content-length': Buffer.byteLength(reply.body),
    'x-amzn-requestid': exchange.newRequestId(),
  });
  response.end(request.method === 'HEAD' ? undefined : reply.body);
};

const replyTo = async ({ request, signal, service, onError }: Exchange): Promise<AwsReply | undefined> => {
  const refused = refusal(request);
  if (refused) return errorReply('1.0', refused);
  const target = targetOf(request.headers);
  if (!service)
    return errorReply('1.0', new AwsError('UnknownOperationException', `Nothing serves ${target || request.url}.`));
  const body = await readBody(request, BODY_LIMIT_BYTES);
  switch (body.kind) {
    case 'cut':
      return undefined;
    case 'too-large':
      return errorReply(
        '1.0',
        new AwsError('RequestEntityTooLargeException', `The request exceeds ${body.limitBytes} bytes.`, {
          status: 413,
        }),
      );
    case 'whole':
      try {
        const { method = 'POST', url = '/', headers } = request;
        return await service({ target, method, url, headers, body: body.bytes, signal });
      } catch (error) {
        if (error === signal.reason) return undefined;
        if (error instanceof AwsError) return errorReply('1.0', error);
        onError(error);
        const what = target || (request.url ?? '/');
        return errorReply('1.0', new AwsError('InternalFailure', `${what} failed: ${String(error)}`, { status: 500 }));
      }
  }
};
