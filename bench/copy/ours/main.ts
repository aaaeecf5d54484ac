import { once } from 'node:events';
import process from 'node:process';
import { parseArgs } from 'node:util';

/**
 * Our side of the bench, in a process of its own:
 *   copy [--digest=off] [--verify] [--retained] SOURCE DESTINATION   a local file to another
 *   serve --port=N --ready=FILE [--tls=DIR] [--verify] DESTINATION...   exports disk.0, disk.1, ... until SIGTERM
 *   send --port=N [--tls=DIR] SOURCE...   copies them, all at once, to disk.0, disk.1, ... on loopback
 * It ends with one line of JSON (outcome.ts). With --standby it says `ready` and waits for the end of its stdin before it begins.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    digest: { type: 'string', default: 'on' },
    verify: { type: 'boolean', default: false },
    retained: { type: 'boolean', default: false },
    port: { type: 'string', default: '0' },
    ready: { type: 'string', default: '' },
    tls: { type: 'string' },
    standby: { type: 'boolean', default: false },
  },
});
const [command, ...paths] = positionals;
const network = { port: Number(values.port), tlsDirectory: values.tls };

const standBy = async (): Promise<void> => {
  if (!values.standby) return;
  process.stdout.write('ready\n');
  await once(process.stdin.resume(), 'end');
};

if (command === 'copy') {
  const { copyFile } = await import('./copy.ts');
  await standBy();
  const [source = '', destination = ''] = paths;
  await copyFile(source, destination, {
    digest: values.digest === 'on',
    verify: values.verify,
    retained: values.retained,
  });
} else if (command === 'send') {
  const { send } = await import('./send.ts');
  await standBy();
  await send(paths, values.digest === 'on', network);
} else if (command === 'serve') {
  const { serve } = await import('./serve.ts');
  await serve(paths, { ...network, readyFile: values.ready, verify: values.verify });
} else {
  console.error(`there is no command '${command}'`);
  process.exitCode = 2;
}
