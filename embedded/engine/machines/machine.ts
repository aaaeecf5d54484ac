// One state machine: its definitions, its running executions and the index of all of them.
import { executionArn, machineArn, roleArn } from '../api/arns.ts';
import { executionAlreadyExists, stateMachineDoesNotExist } from '../api/errors.ts';
import type { Definition } from '../definition/types.ts';
import { createMachineFiles, type MachineFiles } from '../journal/files.ts';
import { appendLines } from '../journal/journal.ts';
import { JOURNAL_VERSION, lineText, type StartRecord, type Summary } from '../journal/lines.ts';
import type { Json } from '../json.ts';
import { createDraft, type RunContext } from '../run/draft.ts';
import { LiveExecution } from '../run/execution.ts';
import { beginExecution } from '../run/flow.ts';
import { applyTransition, createProgress, type Ending, type Progress, type Transition } from '../run/frame.ts';
import { makeToken } from '../tokens.ts';
import { callTask } from './calls.ts';
import { createDefinitions, type Definitions } from './definitions.ts';
import { createHeads, type Heads } from './heads.ts';
import { recoverExecutions } from './recovery.ts';
import type { EngineSettings } from './settings.ts';
import { statusChange } from './status-change.ts';

export interface StartedExecution {
  readonly arn: string;
  readonly startMs: number;
}

export class Machine {
  readonly name: string;
  readonly arn: string;
  readonly roleArn: string;
  readonly heads: Heads = createHeads();
  readonly definitions: Definitions;
  readonly #settings: EngineSettings;
  readonly #files: MachineFiles;
  readonly #live = new Map<string, LiveExecution>();

  constructor(name: string, settings: EngineSettings) {
    this.name = name;
    this.arn = machineArn(settings.scope, name);
    this.roleArn = roleArn(settings.scope, name);
    this.#settings = settings;
    this.#files = createMachineFiles(settings.dependencies.directory, name);
    this.definitions = createDefinitions(name, this.#files, settings);
  }

  executionArn(execution: string): string {
    return executionArn(this.#settings.scope, this.name, execution);
  }

  journalPath(execution: string): string {
    return this.#files.journalPath(execution);
  }

  /** The execution while it runs. */
  running(execution: string): LiveExecution | undefined {
    return this.#live.get(execution);
  }

  /**
   * Starts an execution, or finds the running one of this name and input.
   * Throws ExecutionAlreadyExists when the name is taken otherwise, and when the journal cannot be written.
   */
  start(execution: string, inputText: string): StartedExecution {
    const current = this.definitions.current();
    if (current === null) throw stateMachineDoesNotExist(this.arn);
    const arn = this.executionArn(execution);
    const head = this.heads.get(execution);
    if (head !== undefined) {
      const sameInput = this.#live.get(execution)?.context.execution.inputText === inputText;
      if (sameInput) return { arn, startMs: head.startMs };
      throw executionAlreadyExists(arn);
    }
    const start: StartRecord = {
      version: JOURNAL_VERSION,
      machine: this.name,
      name: execution,
      input: inputText,
      startMs: this.#settings.clock.nowMs(),
      definition: current.digest,
    };
    const progress = createProgress();
    const context = this.#context(start, current.definition);
    const draft = createDraft(context, progress);
    beginExecution(draft);
    const transition = draft.finish();
    appendLines(this.journalPath(execution), lineText({ start, transition }));
    applyTransition(progress, transition);
    this.heads.put({ name: execution, status: 'RUNNING', startMs: start.startMs, stopMs: null });
    const live = this.#adopt(context, progress);
    this.#announce(context, null);
    live.activate();
    return { arn, startMs: start.startMs };
  }

  /** Reads what an earlier engine left behind. Throws when a journal or a definition cannot be read. */
  recover(): void {
    const recovered = recoverExecutions(this.#files, this.#settings.clock.nowMs());
    for (const head of recovered.heads) this.heads.put(head);
    for (const { start, progress } of recovered.running) {
      this.#adopt(this.#context(start, this.definitions.byDigest(start.definition)), progress);
    }
  }

  /** Lets the recovered executions go on. */
  activate(): void {
    for (const live of this.#live.values()) live.activate();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#live.values()].map((live) => live.close()));
  }

  #adopt(context: RunContext, progress: Progress): LiveExecution {
    const { clock, dependencies } = this.#settings;
    const live = new LiveExecution(context, progress, {
      clock,
      write: (transition) => this.#write(context, transition),
      call: (state, given) => callTask(this.#settings, context, state, given),
      onEnd: (ending) => this.#ended(context, ending),
      onFault: (error) => dependencies.onFault(error),
    });
    this.#live.set(context.execution.name, live);
    return live;
  }

  #write({ execution }: RunContext, transition: Transition): void {
    const { ending } = transition;
    const ended = ending === null ? '' : lineText({ ended: this.#summary(execution, ending) });
    appendLines(this.journalPath(execution.name), lineText({ transition }) + ended);
  }

  #ended(context: RunContext, ending: Ending): void {
    this.#live.delete(context.execution.name);
    this.heads.put(this.#summary(context.execution, ending));
    this.#announce(context, ending);
  }

  /** The change stands whether or not anyone hears of it, so a listener's error may not stop the execution. */
  #announce(context: RunContext, ending: Ending | null): void {
    const { onStatusChange, onFault } = this.#settings.dependencies;
    try {
      onStatusChange(statusChange(context, ending));
    } catch (error) {
      onFault(new Error(`A status change of ${context.execution.arn} could not be announced`, { cause: error }));
    }
  }

  #summary({ name, startMs }: RunContext['execution'], { status, stopMs }: Ending): Summary {
    return { name, status, startMs, stopMs };
  }

  #context(start: StartRecord, definition: Definition): RunContext {
    const { dependencies, environment, scope } = this.#settings;
    return {
      machine: { arn: this.arn, name: this.name, definition },
      execution: {
        arn: this.executionArn(start.name),
        name: start.name,
        inputText: start.input,
        input: JSON.parse(start.input) as Json,
        startMs: start.startMs,
        roleArn: this.roleArn,
      },
      region: scope.region,
      environment,
      newToken: () => makeToken({ machine: this.name, execution: start.name }, dependencies.randomToken()),
    };
  }
}
