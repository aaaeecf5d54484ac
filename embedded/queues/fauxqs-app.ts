import { buildApp } from 'fauxqs';

/**
 * fauxqs without a port of its own: started its usual way it listens on every address of the machine, for anybody. Requests are
 * handed to its router in memory. Messages live in memory only: after a restart the queues are empty (nothing here depends on a
 * message arriving; agents look by themselves).
 */

export interface SqsReply {
  readonly status: number;
  readonly body: object;
  /** The old error name that SDK clients also understand, as AWS sends it. */
  readonly queryError?: string;
}

export interface FauxqsApp {
  call(operation: string, body: object, authorization?: string): Promise<SqsReply>;
  close(): Promise<void>;
}

export const startFauxqsApp = async (region: string): Promise<FauxqsApp> => {
  const app = buildApp({ logger: false, defaultRegion: region });
  await app.ready();
  return {
    async call(operation, body, authorization) {
      const reply = await app.inject({
        method: 'POST',
        url: '/',
        headers: {
          'content-type': 'application/x-amz-json-1.0',
          'x-amz-target': `AmazonSQS.${operation}`,
          ...(authorization === undefined ? {} : { authorization }),
        },
        payload: JSON.stringify(body),
      });
      const queryError = reply.headers['x-amzn-query-error'];
      return {
        status: reply.statusCode,
        body: reply.body === '' ? {} : (JSON.parse(reply.body) as object),
        ...(queryError === undefined ? {} : { queryError: String(queryError) }),
      };
    },
    close: async () => {
      await app.close();
    },
  };
};
