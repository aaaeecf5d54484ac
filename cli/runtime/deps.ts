/**
 * Everything the command line touches outside itself. Tests pass their own and run every command in process; the real one
 * is made in one place (process-deps.ts).
 */

export interface OutputStream {
  readonly write: (text: string) => void;
  readonly isTty: boolean;
  /** Asked at every frame, because a window is resized while a migration is watched. */
  readonly columns: () => number;
  readonly rows: () => number;
}

export interface AgentRun {
  readonly configPath: string;
  readonly print: (line: string) => void;
  readonly gracefulSignal: AbortSignal;
  readonly forceSignal: AbortSignal;
}

export interface UpRun {
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
  readonly allowRemote: boolean;
  readonly print: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface DemoRun {
  readonly print: (line: string) => void;
  readonly isTty: boolean;
  readonly signal: AbortSignal;
  /** Leave the demo's processes and data where they are when it ends. */
  readonly keep: boolean;
}

/** The heavy parts, loaded only by the commands that run them: `volmove list` must not wait for a database to load. */
export interface Programs {
  readonly up: (options: UpRun) => Promise<void>;
  readonly agent: (options: AgentRun) => Promise<void>;
  readonly demo: (options: DemoRun) => Promise<void>;
}

export interface CliDeps {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly nowMs: () => number;
  /** Rejects with the signal's reason when that aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Aborts after the given time: for requests that get no answer. */
  readonly deadline: (ms: number) => AbortSignal;
  /** Calls the listener at each SIGINT or SIGTERM until the returned function is called; while nobody listens, they end the process. */
  readonly onInterrupt: (listener: () => void) => () => void;
  /** Puts a question to the person and resolves with the line that is answered; undefined where nobody can answer. */
  readonly ask: ((question: string) => Promise<string>) | undefined;
  readonly homeDir: string;
  readonly version: string;
  readonly programs: Programs;
}
