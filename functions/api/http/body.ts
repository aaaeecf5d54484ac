import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { volmoveError } from '../../../domain/error.ts';

/** The request's body: bounded, UTF-8, one JSON object. Its content type is not looked at, as clients differ in it. */

const bytesOf = ({ body, isBase64Encoded }: APIGatewayProxyEventV2): Buffer =>
  Buffer.from(body ?? '', isBase64Encoded ? 'base64' : 'utf8');

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Throws BodyTooLarge or MalformedBody. */
export const readJson = (event: APIGatewayProxyEventV2, limitBytes: number): Record<string, unknown> => {
  const bytes = bytesOf(event);
  if (bytes.length > limitBytes) throw volmoveError('BodyTooLarge', { limitBytes });
  if (bytes.length === 0) throw volmoveError('MalformedBody', { reason: 'it is empty' });
  const value = parsed(bytes);
  if (!isObject(value)) throw volmoveError('MalformedBody', { reason: 'it is not a JSON object' });
  return value;
};

const parsed = (bytes: Buffer): unknown => {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    const reason = cause instanceof SyntaxError ? 'it is not valid JSON' : 'it is not UTF-8 text';
    throw volmoveError('MalformedBody', { reason }, { cause });
  }
};
