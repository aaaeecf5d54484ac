import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const LAUNCHER = new URL('../../cli/volmove.js', import.meta.url).pathname;

/** Makes a new Node say that it is an old one: the launcher decides by that word alone. */
const PRETEND_18 = `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'18.19.0'}})`;

/** Where this machine has a Node that is older in truth, it is tried as well. */
const olderNodes = (): string[] =>
  [...new Set((process.env.PATH ?? '').split(delimiter))]
    .map((dir) => join(dir, 'node'))
    .filter((path) => existsSync(path))
    .filter(
      (path) => Number(execFileSync(path, ['-p', 'process.versions.node.split(".")[0]'], { encoding: 'utf8' })) < 24,
    )
    .slice(0, 1);

const OLD: [string, string[]][] = [
  ['a Node that says it is 18', [process.execPath, '--import', PRETEND_18]],
  ...olderNodes().map((path): [string, string[]] => ['an older Node of this machine', [path]]),
];

const collect = (child: ChildProcess): { out: () => string; err: () => string; ended: Promise<number | string> } => {
  let out = '';
  let err = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  const ended = new Promise<number | string>((resolve) =>
    child.on('close', (code, signal) => resolve(signal ?? code ?? 0)),
  );
  return { out: () => out, err: () => err, ended };
};

describe.each(OLD)('the launcher under %s', (_name, [program = '', ...first]) => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'volmove-launcher-'));
    mkdirSync(join(root, 'cli'));
    copyFileSync(LAUNCHER, join(root, 'cli', 'volmove.js'));
    writeFileSync(join(root, 'package.json'), '{"type":"module"}');
  });
  afterEach(() => rmSync(root, { recursive: true }));

  /** A stand-in for the Node that comes with the package. */
  const installNode = (script: string, ...place: string[]): void => {
    const dir = join(root, 'node_modules', ...place);
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 'node'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  };
  const start = (...args: string[]) => {
    const { VOLMOVE_LAUNCHED: _unset, NODE_OPTIONS: _none, ...env } = process.env;
    const child = spawn(program, [...first, join(root, 'cli', 'volmove.js'), ...args], { env });
    return { child, ...collect(child) };
  };
  const saying = async (run: { out: () => string; child: ChildProcess }, text: string): Promise<void> => {
    while (!run.out().includes(text)) await new Promise((resolve) => run.child.stdout?.once('data', resolve));
  };

  it('starts the bundled Node with the same arguments, and ends as it ends', async () => {
    installNode('shift; echo "got $*"; exit 7', 'node', 'bin');

    const run = start('watch', 'a b', '--json');

    expect(await run.ended).toBe(7);
    expect(run.out()).toBe('got watch a b --json\n');
  });

  it('finds it in .bin as well', async () => {
    installNode('echo found', '.bin');

    const run = start();

    expect(await run.ended).toBe(0);
    expect(run.out()).toBe('found\n');
  });

  it('passes a signal on and waits for what comes of it', async () => {
    installNode("trap 'exit 42' TERM; echo ready; while :; do sleep 0.05; done", 'node', 'bin');
    const run = start();
    await saying(run, 'ready');

    run.child.kill('SIGTERM');

    expect(await run.ended).toBe(42);
  });

  it('dies of the signal that its Node died of', async () => {
    installNode('kill -KILL $$', 'node', 'bin');

    expect(await start().ended).toBe('SIGKILL');
  });

  it('says what to do when there is no newer Node', async () => {
    const run = start('list');

    expect(await run.ended).toBe(1);
    expect(run.err()).toContain('volmove needs Node 24 or newer');
    expect(run.err()).toContain('npm ci');
  });

  it('does not leave its Node behind when it is killed with -9', async () => {
    installNode(`exec '${process.execPath}' "$@"`, 'node', 'bin');
    writeFileSync(
      join(root, 'cli', 'lean.js'),
      'export const beginLean = () => {}; export const freshBundle = () => undefined;',
    );
    writeFileSync(join(root, 'cli', 'main.ts'), 'console.log("up"); setInterval(() => undefined, 1000);');
    const run = start('agent');
    await saying(run, '\n');

    run.child.kill('SIGKILL');
    // its streams are those of the Node behind it, too: they close when both have ended
    expect(await run.ended).toBe('SIGKILL');
  });

  it('runs the command for real with the package’s own Node', async () => {
    const { VOLMOVE_LAUNCHED: _unset, ...env } = process.env;
    const child = spawn(program, [...first, LAUNCHER, '--version'], { env });
    const run = collect(child);

    expect(await run.ended).toBe(0);
    expect(run.out()).toMatch(/^\d+\.\d+\.\d+\n$/u);
  });
});

describe('the launcher under a new Node', () => {
  it('runs the command in its own process', async () => {
    const run = collect(spawn(process.execPath, [LAUNCHER, 'nonsense']));

    expect(await run.ended).toBe(2);
    expect(run.err()).toContain('nonsense');
  });
});
