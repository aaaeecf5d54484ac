#!/usr/bin/env node
// Starts the command. The sources need Node 24; under an older one this file, which any Node from 18 on understands, starts
// the Node that was installed with the package and stands in front of it: same arguments, streams, signals and exit status.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NEEDED_MAJOR = 24;
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'];
/** Set for the second Node, to the first one's process id: if that one is too old as well, a third would be no better. */
const GUARD = 'VOLMOVE_LAUNCHED';

const LOOK_AT_FRONT_MS = 500;

const here = dirname(fileURLToPath(import.meta.url));
const major = Number(process.versions.node.split('.', 1)[0]);

/** Beside the package's own sources, and beside the package where it is installed into another one. */
const bundledNode = () => {
  const root = dirname(here);
  const modules = [join(root, 'node_modules'), dirname(root)];
  const places = modules.flatMap((dir) => [join(dir, 'node', 'bin', 'node'), join(dir, '.bin', 'node')]);
  return places.find((path) => existsSync(path));
};

const refuse = () => {
  process.stderr.write(
    `error: volmove needs Node ${NEEDED_MAJOR} or newer; this is ${process.version}, and no newer one is installed with it.\n` +
      `    -> Run "npm ci" in ${dirname(here)}, or install Node ${NEEDED_MAJOR} and run volmove with it.\n`,
  );
  process.exitCode = 1;
};

const standInFrontOf = (node) => {
  // Before the start, because a signal may come as soon as the child runs: it must never be left without its front.
  let child;
  for (const signal of FORWARDED) process.on(signal, () => child.kill(signal));
  child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...process.env, [GUARD]: String(process.pid) },
  });
  child.on('error', (error) => {
    process.stderr.write(
      `error: ${node} cannot be started: ${error.message}\n    -> Run "npm ci" in ${dirname(here)}.\n`,
    );
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    for (const name of FORWARDED) process.removeAllListeners(name);
    process.kill(process.pid, signal);
  });
};

/** What kills the process that a shell knows means this one: an agent must not live on behind it. */
const dieWithFront = () => {
  const front = Number(process.env[GUARD]);
  // who was started by somebody behind a front has a parent of its own
  if (process.ppid !== front) return;
  setInterval(() => {
    if (process.ppid !== front) process.kill(process.pid, 'SIGKILL');
  }, LOOK_AT_FRONT_MS).unref();
};

if (major >= NEEDED_MAJOR) {
  const { beginLean, freshBundle } = await import('./lean.js');
  beginLean(fileURLToPath(import.meta.url));
  if (process.env[GUARD] !== undefined) dieWithFront();
  module.enableCompileCache(join(dirname(here), 'node_modules', '.cache', 'volmove'));
  await import(freshBundle(dirname(here)) ?? './main.ts');
} else {
  const node = process.env[GUARD] === undefined ? bundledNode() : undefined;
  if (node === undefined) refuse();
  else standInFrontOf(node);
}
