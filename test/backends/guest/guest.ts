import { spawn, spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** Runs a command on a real second kernel (run-in-guest.sh), or says what this machine lacks for that. */

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SCRIPT = fileURLToPath(new URL('run-in-guest.sh', import.meta.url));

export interface GuestOptions {
  /** Sizes (`2G`) of fresh disks, /dev/ubdb and on, or paths of files. */
  readonly disks?: readonly string[];
  /** The host's folders that the guest may write to; everything else it writes is gone with it. */
  readonly writable?: readonly string[];
  readonly modules?: readonly string[];
  readonly memoryMib?: number;
  readonly timeoutSeconds?: number;
  /** False: LVM makes its device nodes itself, which is faster. */
  readonly udev?: boolean;
  readonly network?: boolean;
  /** TCP ports of the host's 127.0.0.1 that are to be on the guest's, too; they want the network. */
  readonly forward?: readonly number[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface GuestEnd {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const onPath = (program: string): boolean =>
  `${process.env.PATH ?? ''}:/usr/sbin:/sbin`.split(':').some((directory) => existsSync(join(directory, program)));

const NEEDED: readonly (readonly [string, string])[] = [
  ['linux.uml', 'user-mode-linux'],
  ['modprobe', 'kmod'],
  ['gcc', 'gcc libc6-dev'],
  ['unshare', 'util-linux'],
];

/** Why no guest can run here, or not with these programs in it; undefined when it can. */
export const guestProblem = (programs: readonly (readonly [string, string])[] = []): string | undefined => {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'User-Mode Linux runs on Linux on x86-64 alone';
  if (process.getuid?.() !== 0) return 'not root, and a guest needs a mount namespace';
  const missing = [...NEEDED, ...programs].filter(
    ([program]) => !onPath(program) && !(program === 'linux.uml' && process.env.UML_BIN !== undefined),
  );
  if (missing.length > 0)
    return `missing: ${missing.map(([program]) => program).join(', ')} (apt-get install ${[...new Set(missing.map(([, from]) => from))].join(' ')})`;
  const elsewhere = [ROOT, tmpdir()].find((path) => statSync(path).dev !== statSync('/').dev);
  if (elsewhere) return `${elsewhere} is not on the file system of /, and a guest sees nothing else`;
  const { status } = spawnSync('unshare', ['--mount', 'true']);
  return status === 0 ? undefined : 'this machine allows no mount namespace (unshare --mount)';
};

const argumentsOf = (options: GuestOptions): string[] => [
  ...(options.disks ?? []).flatMap((disk) => ['-d', disk]),
  ...(options.writable ?? []).flatMap((folder) => ['-w', folder]),
  ...(options.modules ? ['-M', options.modules.join(',')] : []),
  ...Object.entries(options.env ?? {}).flatMap(([name, value]) => ['-e', `${name}=${value}`]),
  ...(options.network ? [] : ['-n']),
  ...(options.forward ? ['-f', options.forward.join(',')] : []),
  ...(options.udev === false ? ['-u'] : []),
  '-m',
  String(options.memoryMib ?? 1024),
  '-t',
  String(options.timeoutSeconds ?? 300),
];

export const runInGuest = (command: readonly string[], options: GuestOptions): Promise<GuestEnd> =>
  new Promise((resolve, reject) => {
    const child = spawn(SCRIPT, [...argumentsOf(options), '--', ...command], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, GUEST_TIMES: '1', GUEST_NODE: process.execPath },
    });
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      child[name].setEncoding('utf8').on('data', (text: string) => {
        said[name] += text;
      });
    // whoever is asked to end takes the guest along
    const end = (): void => void child.kill('SIGTERM');
    process.once('exit', end);
    child.once('error', reject);
    child.once('close', (exitCode) => {
      process.removeListener('exit', end);
      resolve({ exitCode, ...said });
    });
  });

export interface GuestTest {
  readonly name: string;
  readonly status: string;
  readonly failure: string;
}

export interface GuestReport {
  readonly tests: readonly GuestTest[];
  readonly end: GuestEnd;
}

interface JsonReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

const testsOf = ({ testResults }: JsonReport): GuestTest[] =>
  testResults.flatMap(({ name, message, assertionResults }) =>
    assertionResults.length === 0
      ? [{ name: relative(ROOT, name), status: 'failed', failure: message || 'it has no tests' }]
      : assertionResults.map(({ fullName, status, failureMessages = [] }) => ({
          name: fullName,
          status,
          failure: failureMessages.join('\n'),
        })),
  );

/** Runs test files inside a guest, and brings back what each test has said. */
export const testInGuest = async (files: readonly string[], options: GuestOptions): Promise<GuestReport> => {
  const results = await mkdtemp(join(tmpdir(), 'volmove-guest-results-'));
  const report = join(results, 'report.json');
  try {
    const end = await runInGuest(
      [
        process.execPath,
        join(ROOT, 'node_modules/vitest/vitest.mjs'),
        'run',
        '--config',
        'test/backends/guest/vitest.config.ts',
        '--reporter=verbose',
        '--reporter=json',
        `--outputFile.json=${report}`,
        ...files,
      ],
      { ...options, writable: [...(options.writable ?? []), results], env: { ...options.env, NO_COLOR: '1' } },
    );
    const text = await readFile(report, 'utf8').catch(() => undefined);
    return { tests: text === undefined ? [] : testsOf(JSON.parse(text) as JsonReport), end };
  } finally {
    await rm(results, { recursive: true, force: true });
  }
};
