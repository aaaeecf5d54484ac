import type { IncomingHttpHeaders } from 'node:http';

/**
 * What an AWS-shaped endpoint of the embedded cloud takes and gives: whole bodies, no sockets. So a service can neither hold
 * nor break a connection, and the front alone decides who may call.
 */

export interface AwsCall {
  /** `Service_Version.Operation` of X-Amz-Target; empty for a REST endpoint. */
  readonly target: string;
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Aborted when the caller has gone away or the front is closing: nobody reads the reply of a long poll then. */
  readonly signal: AbortSignal;
}

export interface AwsReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type AwsService = (call: AwsCall) => Promise<AwsReply>;

/** An operation of a JSON protocol: the target and the parsed body in, a status and a body to render out. */
export type JsonHandler = (
  target: string,
  body: unknown,
) => Promise<{ readonly status: number; readonly body: unknown }>;

export type AwsJsonVersion = '1.0' | '1.1';

/** An error in AWS's own terms: SDK clients throw an exception whose `name` is this name. */
export class AwsError extends Error {
  readonly status: number;

  constructor(name: string, message: string, options: { readonly status?: number; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = name;
    this.status = options.status ?? 400;
  }
}

const errorBody = (error: AwsError): { __type: string; message: string } => ({
  __type: error.name,
  message: error.message,
});

export const jsonReply = (version: AwsJsonVersion, status: number, body: unknown): AwsReply => ({
  status,
  headers: { 'content-type': `application/x-amz-json-${version}` },
  body: JSON.stringify(body ?? {}),
});

/** REST endpoints name the error in a header, the JSON protocols in the body; both are given, so either client finds it. */
export const errorReply = (version: AwsJsonVersion, error: AwsError): AwsReply => {
  const reply = jsonReply(version, error.status, errorBody(error));
  return { ...reply, headers: { ...reply.headers, 'x-amzn-errortype': error.name } };
};

export const parseJson = (body: Buffer): unknown => {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (cause) {
    throw new AwsError('SerializationException', 'The request body is not JSON.', { cause });
  }
};

/** A JSON handler as a service. Errors other than AwsError are left to the front: it reports them and answers 500. */
export const jsonService =
  (version: AwsJsonVersion, handle: JsonHandler): AwsService =>
  async ({ target, body }) => {
    try {
      const reply = await handle(target, body.length === 0 ? {} : parseJson(body));
      return jsonReply(version, reply.status, reply.body);
    } catch (error) {
      if (error instanceof AwsError) return errorReply(version, error);
      throw error;
    }
  };
