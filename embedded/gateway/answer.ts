/** What a function returned, as an HTTP answer, by the rules of payload format 2.0. */

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: Buffer;
}

export const jsonAnswer = (status: number, body: object): HttpAnswer => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: Buffer.from(JSON.stringify(body)),
});

/** What an HTTP API says when its function failed; why, is for the log and not for the caller. */
export const INTERNAL_ERROR = jsonAnswer(500, { message: 'Internal Server Error' });

/** These belong to the connection, or follow from the body: not for a function to set. */
const OURS = new Set(['connection', 'content-length', 'keep-alive', 'trailer', 'transfer-encoding', 'upgrade']);

/** Throws when the value says it is an answer and is none. */
export const toAnswer = (returned: unknown): HttpAnswer => {
  if (typeof returned === 'string') return jsonText(returned);
  if (typeof returned !== 'object' || returned === null || !('statusCode' in returned)) {
    return jsonText(JSON.stringify(returned ?? null));
  }
  const { statusCode, headers, cookies, body, isBase64Encoded } = returned as Record<string, unknown>;
  const status = Number(statusCode);
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new Error(
      `The function returned statusCode ${JSON.stringify(statusCode)}; it must be a number from 200 to 599.`,
    );
  }
  return {
    status,
    headers: answerHeaders(headers, cookies),
    body: answerBody(body, isBase64Encoded === true),
  };
};

const jsonText = (text: string): HttpAnswer => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: Buffer.from(text),
});

const answerHeaders = (headers: unknown, cookies: unknown): Record<string, string | string[]> => {
  const result: Record<string, string | string[]> = { 'content-type': 'text/plain; charset=utf-8' };
  for (const [name, value] of Object.entries(headers ?? {})) {
    const lower = name.toLowerCase();
    if (!OURS.has(lower) && value !== null && value !== undefined) result[lower] = String(value);
  }
  if (Array.isArray(cookies) && cookies.length > 0) result['set-cookie'] = cookies.map(String);
  return result;
};

const answerBody = (body: unknown, isBase64Encoded: boolean): Buffer => {
  if (body === undefined || body === null) return Buffer.alloc(0);
  if (typeof body !== 'string') return Buffer.from(JSON.stringify(body));
  return Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
};
