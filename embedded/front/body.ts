import type { IncomingMessage } from 'node:http';

/** Reads a request's body whole, never keeping more than the limit. */

export type Body =
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  | { readonly kind: 'too-large'; readonly limitBytes: number }
  /** The caller went away before the end: there is nobody to answer. */
  | { readonly kind: 'cut' };

/**
 * After `too-large` the rest is read and dropped, so that the answer reaches a caller that is still sending and the connection
 * stays usable; the server's request time-out bounds how long that may take.
 */
export const readBody = (request: IncomingMessage, limitBytes: number): Promise<Body> =>
  new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    const declaredBytes = Number(request.headers['content-length'] ?? 0);
    if (declaredBytes > limitBytes) resolve({ kind: 'too-large', limitBytes });
    request.on('data', (chunk: Buffer) => {
      sizeBytes += chunk.length;
      if (sizeBytes <= limitBytes) chunks.push(chunk);
      else {
        chunks.length = 0;
        resolve({ kind: 'too-large', limitBytes });
      }
    });
    request.once('end', () => resolve({ kind: 'whole', bytes: Buffer.concat(chunks) }));
    request.once('error', () => resolve({ kind: 'cut' }));
    request.once('close', () => resolve({ kind: 'cut' }));
  });
