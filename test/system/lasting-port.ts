import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * A port for a part that is killed and comes back: outside of the range from which the system gives ports away to whoever asks
 * for any (ip_local_port_range begins at 32768), or somebody else could have it by then.
 */
const FIRST = 10_000;
const END = 32_000;

export const lastingPort = async (): Promise<number> => {
  for (;;) {
    const port = randomInt(FIRST, END);
    const server = createServer();
    try {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      return port;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    } finally {
      server.close();
    }
  }
};
