import process from 'node:process';
import { ENVIRONMENT, FLAGS } from '../../../cli/lean.js';
import type { CopyCase } from '../cases.ts';
import type { Command } from '../measure/launch.ts';
import type { ServerCommand } from '../measure/server.ts';
import type { Contender, Place } from './contender.ts';

export const OURS = 'volmove';

/** Our own copy, in processes of its own with the flags and the environment of an agent. */
export const ourCommand = (program: string, ...args: string[]): Command => ({
  argv: [process.execPath, ...FLAGS, program, ...args],
  env: { ...ENVIRONMENT, NODE_OPTIONS: '' },
});

const standingBy = (program: string, ...args: string[]): Command => ({
  ...ourCommand(program, '--standby', ...args),
  standsBy: true,
});

const contender = (steps: Contender['steps']): Contender => ({
  name: OURS,
  side: 'ours',
  needs: [],
  needsDestination: true,
  steps,
});

const local = (mode: readonly string[]): Contender =>
  contender(({ ours, source, destination }) => [
    { kind: 'run', command: standingBy(ours, 'copy', ...mode, source, destination) },
  ]);

const tlsFlags = (secured: boolean, directory: string): string[] => (secured ? [`--tls=${directory}`] : []);

const server = (secured: boolean, { ours, port, readyFile, tlsDirectory, destination }: Place): ServerCommand => ({
  ...ourCommand(
    ours,
    'serve',
    `--port=${port}`,
    `--ready=${readyFile}`,
    ...tlsFlags(secured, tlsDirectory),
    destination,
  ),
  readyFile,
});

const network = (secured: boolean, mode: readonly string[]): Contender => ({
  ...contender(({ ours, port, tlsDirectory, source }) => [
    {
      kind: 'run',
      command: standingBy(ours, 'send', ...mode, `--port=${port}`, ...tlsFlags(secured, tlsDirectory), source),
    },
  ]),
  server: (place) => server(secured, place),
});

/** Over a network twice: as agents copy, with the digest, and as the peers copy, who make none. */
export const ourContenders = ({ content, medium, verified }: CopyCase): Contender[] => {
  if (medium === 'tcp' || medium === 'tls')
    return [network(medium === 'tls', []), network(medium === 'tls', ['--digest=off'])];
  if (content === 'changed') return [local(verified ? ['--retained', '--verify'] : ['--retained'])];
  return [local(verified ? ['--verify'] : ['--digest=off'])];
};
