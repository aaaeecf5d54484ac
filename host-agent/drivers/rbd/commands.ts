import { stat } from 'node:fs/promises';
import { volmoveError } from '../../../domain/error.ts';
import type { Child, ChildEnd } from '../../children/child.ts';
import type { ToolEnd } from '../../tools/run-tool.ts';
import type { DriverDeps } from '../registry.ts';
import type { RbdBackend } from './config.ts';
import { encryptionArgs } from './names.ts';

/** How a program that runs for long is ended when it does not end by itself. */
export interface Limits {
  /** Killed after so many timeouts without a step of progress; Infinity: never. */
  readonly silentTimeouts: number;
  /** Killed when the signal says so. */
  readonly bySignal: boolean;
  /** A request that the cluster leaves open for the backend's timeout fails; otherwise it is waited for. */
  readonly requestsTimeOut: boolean;
}

/** Calls of rbd and ceph. None of them hangs for ever: the cluster's client gives up first, then the program is ended. */
export interface Commands {
  /** What answers in a moment. Resolves whatever its exit code is. */
  rbd(args: readonly string[], signal: AbortSignal): Promise<ToolEnd>;
  /** Several questions to the monitors over one connection; each answer is a line of JSON. */
  ceph(questions: readonly string[], signal: AbortSignal): Promise<ToolEnd>;
  /** About the objects that an image is made of. Resolves whatever its exit code is. */
  rados(args: readonly string[], signal: AbortSignal): Promise<ToolEnd>;
  /** What takes as long as the image is large, or must not be cut in the middle. It dies with the agent. */
  long(args: readonly string[], signal: AbortSignal, limits?: Limits): Promise<ToolEnd>;
  /** For who watches it himself: it runs until it ends, or the agent dies. */
  start(args: readonly string[], onPercent: (percent: number) => void): Promise<Child>;
}

export const RBD = { program: 'rbd', package: 'ceph-common' };
export const CEPH = { program: 'ceph', package: 'ceph-common' };
const RADOS = { program: 'rados', package: 'ceph-common' };

/** A call asks the cluster more than once; each of them has the whole time. */
const ROUNDS = 3;
/** On top of it: on a busy host a program takes its time to come to its first word. */
const BUSY_MS = 10_000;
/** Deleting the objects of one percent of a large image takes its time. */
const USUAL: Limits = { silentTimeouts: 10, bySignal: true, requestsTimeOut: true };

/** Its own messages only: the log of the client is another's. */
const QUIET = ['--err-to-stderr=false', '--log-to-stderr=false'];
/** Times that it tells are taken for this. */
const ENV = { TZ: 'UTC' };

type Access = Pick<RbdBackend, 'conf' | 'client' | 'keyring' | 'require_encryption' | 'timeout_seconds'>;

/** A key that others may read is everybody's. */
export const requireSecretKeyring = async (keyring: string | undefined, place: string): Promise<void> => {
  if (keyring === undefined) return;
  const found = await stat(keyring).catch((error: unknown) => {
    const reason = `the keyring ${keyring} cannot be read: ${(error as Error).message}`;
    throw volmoveError('NotPermitted', { place, reason }, { cause: error });
  });
  if ((found.mode & 0o077) !== 0)
    throw volmoveError('NotPermitted', {
      place,
      reason: `the keyring ${keyring} may be read by others than its owner: chmod 600 it`,
    });
};

const REQUEST_TIMEOUTS = ['rados_mon_op_timeout', 'rados_osd_op_timeout'];

const accessArgs = (access: Access): string[] => {
  const { conf, client, keyring, timeout_seconds: seconds } = access;
  return [
    ...['--conf', conf, '--id', client],
    ...(keyring === undefined ? [] : ['--keyring', keyring]),
    ...encryptionArgs(access),
    `--client_mount_timeout=${seconds}`,
    ...QUIET,
  ];
};

const PERCENT = /(\d+)% complete/g;

export const createCommands = (backend: string, access: Access, { runTool, children }: DriverDeps): Commands => {
  const { timeout_seconds: seconds, keyring } = access;
  const patient = accessArgs(access);
  const common = [...patient, ...REQUEST_TIMEOUTS.map((name) => `--${name}=${seconds}`)];
  const timeoutMs = ROUNDS * seconds * 1000 + BUSY_MS;

  const begin = async (args: readonly string[], onPercent: (percent: number) => void): Promise<Child> => {
    await requireSecretKeyring(keyring, backend);
    const child = await children.start({
      ...RBD,
      args,
      env: ENV,
      onStderr: (text) => {
        const last = [...text.matchAll(PERCENT)].at(-1);
        if (last) onPercent(Number(last[1]));
      },
    });
    child.go();
    return child;
  };

  return {
    async rbd(args, signal) {
      await requireSecretKeyring(keyring, backend);
      return runTool({ ...RBD, args: [...common, ...args], env: ENV, timeoutMs }, signal);
    },
    async ceph(questions, signal) {
      await requireSecretKeyring(keyring, backend);
      const args = [...common, '--connect-timeout', String(seconds), '--format', 'json'];
      return runTool({ ...CEPH, args, env: ENV, timeoutMs, input: `${questions.join('\n')}\n` }, signal);
    },
    async rados(args, signal) {
      await requireSecretKeyring(keyring, backend);
      return runTool({ ...RADOS, args: [...common, ...args], env: ENV, timeoutMs }, signal);
    },
    start: (args, onPercent) => begin([...common, ...args], onPercent),
    async long(args, signal, { silentTimeouts, bySignal, requestsTimeOut } = USUAL) {
      signal.throwIfAborted();
      const silence = silenceOf(silentTimeouts * seconds);
      const child = await begin([...(requestsTimeOut ? common : patient), ...args], () => silence.restart());
      const end = await ended(child, silence, bySignal ? signal : NEVER);
      return { ...end, stdout: '' };
    },
  };
};

const NEVER = new AbortController().signal;

interface Silence {
  /** Counts from now on. */
  restart(): void;
  stop(): void;
  onSilent: () => void;
  readonly seconds: number;
}

const silenceOf = (seconds: number): Silence => {
  let timer: NodeJS.Timeout | undefined;
  const silence: Silence = {
    seconds,
    onSilent: () => undefined,
    restart() {
      clearTimeout(timer);
      if (Number.isFinite(seconds)) timer = setTimeout(() => silence.onSilent(), seconds * 1000);
    },
    stop: () => clearTimeout(timer),
  };
  return silence;
};

/** Resolves only when the process is gone: what it was doing to the image has ended then. */
const ended = async (child: Child, silence: Silence, signal: AbortSignal): Promise<ChildEnd> => {
  let why: Error | undefined;
  const kill = (reason: Error): void => {
    why ??= reason;
    child.signal('SIGKILL');
  };
  const onAbort = (): void => kill(signal.reason as Error);
  silence.onSilent = () => kill(volmoveError('BackendTimedOut', { program: 'rbd', seconds: silence.seconds }));
  silence.restart();
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    const end = await child.ended;
    if (why) throw why;
    return end;
  } finally {
    silence.stop();
    signal.removeEventListener('abort', onAbort);
  }
};
