import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';
import { listen } from '../../embedded/front/listen.ts';

/**
 * A proxy between an SDK client and DynamoDB that can swallow an answer: the request reaches the table and takes effect, then
 * the caller's socket is destroyed. What the SDK does next is what it does on a real network.
 */
export interface LossyProxy {
  readonly url: string;
  /** The next calls of the operation (`PutItem`, `DeleteItem`) take effect and are never answered; 1 unless said otherwise. */
  readonly loseNext: (operation: string, times?: number) => void;
  /** Calls that reached the table and whose answer was swallowed. */
  readonly lost: () => number;
}

export const startLossyProxy = async (target: string): Promise<LossyProxy> => {
  const losing = new Map<string, number>();
  let lost = 0;

  const mayLose = (request: IncomingMessage): boolean => {
    const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
    const left = losing.get(operation) ?? 0;
    if (left === 0) return false;
    losing.set(operation, left - 1);
    return true;
  };

  const forward = (request: IncomingMessage, response: ServerResponse): void => {
    const lose = mayLose(request);
    const { host: _host, ...headers } = request.headers;
    const onward = httpRequest(target, { method: request.method ?? 'POST', path: request.url ?? '/', headers });
    onward.on('response', (answer) => {
      if (!lose) {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
        return;
      }
      answer.resume().on('end', () => {
        lost += 1;
        request.socket.destroy();
      });
    });
    onward.on('error', () => request.socket.destroy());
    request.pipe(onward);
  };

  const server = createServer(forward);
  const url = await listen(server, '127.0.0.1', 0);
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return {
    url,
    loseNext: (operation, times = 1) => {
      losing.set(operation, times);
    },
    lost: () => lost,
  };
};
