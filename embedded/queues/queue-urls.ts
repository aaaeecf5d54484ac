/**
 * Queue URLs as clients can use them. fauxqs makes up a host name that resolves nowhere; a client given such a URL would leave
 * its configured endpoint for it. Here every URL has the host under which the caller reached us.
 */

const ACCOUNT_PATH = /^https?:\/\/[^/]+(\/\d{12}\/)/;

const localUrl = (queueUrl: string, callerHost: string): string =>
  queueUrl.replace(ACCOUNT_PATH, (_whole, path: string) => `http://${callerHost}${path}`);

/** Replies of CreateQueue, GetQueueUrl and ListQueues carry such URLs; other replies pass unchanged. */
export const withLocalUrls = (reply: object, callerHost: string): object => {
  if ('QueueUrl' in reply && typeof reply.QueueUrl === 'string') {
    return { ...reply, QueueUrl: localUrl(reply.QueueUrl, callerHost) };
  }
  if ('QueueUrls' in reply && Array.isArray(reply.QueueUrls)) {
    return { ...reply, QueueUrls: reply.QueueUrls.map((url) => localUrl(String(url), callerHost)) };
  }
  return reply;
};

/** What fauxqs looks a queue up by when the host names no region: the last part of the path. */
export const internalUrl = (queueName: string): string => `http://queues/000000000000/${queueName}`;
