import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type ServerResponse, validateHeaderName, validateHeaderValue } from 'node:http';
import { readBody } from '../front/body.ts';
import { isFunctionError, type LambdaRuntime } from '../lambda/runtime.ts';
import { type HttpAnswer, INTERNAL_ERROR, jsonAnswer, toAnswer } from './answer.ts';
import { toEvent } from './event.ts';

/** The HTTP API: every request becomes an event for the one API function, its return value the answer. */

export interface GatewayOptions {
  readonly runtime: Pick<LambdaRuntime, 'invoke'>;
  readonly functionName: string;
  readonly accountId: string;
  readonly apiId?: string;
  readonly bodyLimitBytes?: number;
  readonly nowMs?: () => number;
  readonly newId?: () => string;
}

const DEFAULT_BODY_LIMIT_BYTES = 1024 * 1024;

export const createGateway = (options: GatewayOptions) => {
  const { bodyLimitBytes = DEFAULT_BODY_LIMIT_BYTES, newId = randomUUID } = options;
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const requestId = newId();
    const body = await readBody(request, bodyLimitBytes);
    switch (body.kind) {
      case 'cut':
        return;
      case 'too-large':
        send(request, response, requestId, tooLarge(body.limitBytes));
        return;
      case 'whole':
        send(request, response, requestId, await ask(options, request, body.bytes, requestId));
    }
  };
};

/** A caller that hangs up does not stop the function: what it began it ends, as on AWS. */
const ask = async (
  { runtime, functionName, accountId, apiId = 'embedded', nowMs = Date.now }: GatewayOptions,
  request: IncomingMessage,
  body: Buffer,
  requestId: string,
): Promise<HttpAnswer> => {
  const event = toEvent(request, body, { accountId, apiId, requestId, nowMs: nowMs() });
  const result = await runtime.invoke(functionName, event);
  return isFunctionError(result) ? INTERNAL_ERROR : checkHeaders(functionName, toAnswer(result.payload));
};

const tooLarge = (limitBytes: number): HttpAnswer =>
  jsonAnswer(413, { message: `Request Entity Too Large: the body exceeds ${limitBytes} bytes.` });

/** A header that HTTP cannot carry would otherwise break the answer half-way; the front reports it and answers 500. */
const checkHeaders = (functionName: string, answer: HttpAnswer): HttpAnswer => {
  for (const [name, value] of Object.entries(answer.headers)) {
    try {
      validateHeaderName(name);
      for (const each of [value].flat()) validateHeaderValue(name, each);
    } catch (cause) {
      throw new Error(`Function ${functionName} returned header ${JSON.stringify(name)}, which HTTP cannot carry.`, {
        cause,
      });
    }
  }
  return answer;
};

const BODILESS = new Set([204, 205, 304]);

const send = (request: IncomingMessage, response: ServerResponse, requestId: string, answer: HttpAnswer): void => {
  if (response.destroyed) return;
  const bodiless = BODILESS.has(answer.status);
  response.writeHead(answer.status, {
    ...answer.headers,
    'apigw-requestid': requestId,
    ...(bodiless ? {} : { 'content-length': answer.body.length }),
  });
  response.end(bodiless || request.method === 'HEAD' ? undefined : answer.body);
};
