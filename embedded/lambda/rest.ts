import { type AwsCall, AwsError, type AwsReply, type AwsService } from '../front/aws-wire.ts';
import { isFunctionError, type LambdaRuntime } from './runtime.ts';

/** The Lambda API as far as clients here use it: Invoke, waiting for the answer or not. */

const INVOKE_PATH = /^\/2015-03-31\/functions\/([^/?]+)\/invocations(?:\?.*)?$/;
/** A function may be named by its ARN, and either name may carry a qualifier. */
const FUNCTION_NAME = /^(?:arn:aws[a-z-]*:lambda:[^:]*:\d{12}:function:)?([A-Za-z0-9-_]+)(?::[^:]+)?$/;

export interface LambdaRestOptions {
  readonly runtime: LambdaRuntime;
  /** An `Event` invocation whose function could not even be called. A failed function is told to the runtime's own hook. */
  readonly onError: (error: unknown) => void;
}

export const lambdaRest =
  ({ runtime, onError }: LambdaRestOptions): AwsService =>
  async (call) => {
    try {
      const name = functionName(call);
      if (!runtime.has(name))
        throw new AwsError('ResourceNotFoundException', `Function not found: ${name}`, { status: 404 });
      const payload = parsePayload(call.body);
      const type = call.headers['x-amz-invocation-type'] ?? 'RequestResponse';
      switch (type) {
        case 'RequestResponse':
          return await waited(runtime, name, payload, call.signal);
        case 'Event':
          runtime.invoke(name, payload).catch(onError);
          return { status: 202, headers: {}, body: '' };
        case 'DryRun':
          return { status: 204, headers: {}, body: '' };
        default:
          throw new AwsError('InvalidParameterValueException', `InvocationType ${String(type)} is unknown.`);
      }
    } catch (error) {
      if (error instanceof AwsError) return refused(error);
      throw error;
    }
  };

const waited = async (
  runtime: LambdaRuntime,
  name: string,
  payload: unknown,
  signal: AbortSignal,
): Promise<AwsReply> => {
  const result = await runtime.invoke(name, payload, signal);
  const headers = { 'content-type': 'application/json', 'x-amz-executed-version': '$LATEST' };
  if (isFunctionError(result)) {
    return { status: 200, headers: { ...headers, 'x-amz-function-error': 'Unhandled' }, body: JSON.stringify(result) };
  }
  return { status: 200, headers, body: JSON.stringify(result.payload) };
};

const functionName = ({ method, url }: AwsCall): string => {
  const [, encoded = ''] = INVOKE_PATH.exec(url) ?? [];
  const [, name] = FUNCTION_NAME.exec(decoded(encoded)) ?? [];
  if (method === 'POST' && name !== undefined) return name;
  throw new AwsError('UnknownOperationException', `The embedded Lambda has only Invoke; ${method} ${url} is not it.`, {
    status: 404,
  });
};

/** A malformed escape cannot name a function: it is looked up as it stands, and not found. */
const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

const parsePayload = (body: Buffer): unknown => {
  if (body.length === 0) return {};
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (cause) {
    throw new AwsError('InvalidRequestContentException', 'Could not parse request body into json.', { cause });
  }
};

const refused = (error: AwsError): AwsReply => ({
  status: error.status,
  headers: { 'content-type': 'application/json', 'x-amzn-errortype': error.name },
  body: JSON.stringify({ Type: 'User', message: error.message, Message: error.message }),
});
