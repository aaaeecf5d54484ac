import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

/** Sends these bytes as they are and gives back all that came until the other side closed. */
export const exchange = (url: string, bytes: string): Promise<string> => {
  const socket = connect(Number(new URL(url).port), new URL(url).hostname);
  socket.write(bytes);
  return text(socket);
};
