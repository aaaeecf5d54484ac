/**
 * Every Lambda of the system as data: where its handler is, who calls it, what it may touch besides the table. A new
 * handler is one more entry here; the stack makes function, permissions and state machine substitutions from it.
 */
import { type MachineName, machineNames } from './machines.ts';

export interface FunctionDefinition {
  /** Slug, unique: from it follow the construct's id and `<PascalName>FunctionArn` in the state machine files. */
  readonly name: string;
  /** Handler file, relative to the project; it exports `handler`. */
  readonly entry: string;
  readonly description: string;
  /** The state machine that calls it as a step; undefined: not a step. */
  readonly stepOf?: MachineName;
  /** Seconds; 30 when absent. A step ends before the 60 s that its state waits, so that its own error is the one seen. */
  readonly timeoutSeconds?: number;
  /** How often Lambda repeats a failed event; absent: twice. */
  readonly eventRetries?: 0 | 1 | 2;
  /** It puts events on the bus. */
  readonly tellsEvents?: true;
  /** It tells host agents, through their queues, to look at their jobs. */
  readonly wakesHosts?: true;
  /** It answers task tokens of these machines. */
  readonly answersTasksOf?: readonly MachineName[];
  /** It starts executions of these machines and asks how they ended. */
  readonly startsRunsOf?: readonly MachineName[];
  /** It reads the whole table when asked to. */
  readonly scansTable?: true;
}

type StepExtras = Omit<FunctionDefinition, 'name' | 'entry' | 'description' | 'stepOf'>;

const step = (stepOf: MachineName, name: string, description: string, extras: StepExtras = {}): FunctionDefinition => ({
  name,
  entry: `functions/workflow/handlers/${name}.ts`,
  description,
  stepOf,
  ...extras,
});

export const functions: readonly FunctionDefinition[] = [
  step('migrate-volume', 'notify-started', 'Records that a migration runs and tells subscribers', {
    tellsEvents: true,
  }),
  step('migrate-volume', 'validate', 'Checks hosts, pool and space before anything is made'),
  step('migrate-volume', 'lock-volume', 'Confirms the claim on the volume'),
  step('migrate-volume', 'switch-over', 'Lets a backend switch a volume over that it has moved by itself'),
  step('migrate-volume', 'dispatch', 'Hands a job of a migration to a host agent', {
    tellsEvents: true,
    wakesHosts: true,
    answersTasksOf: ['migrate-volume'],
  }),
  step('migrate-volume', 'finalize', 'Moves the location of the volume, with a proof'),
  step('migrate-volume', 'release-claim', 'Gives the claim back when a migration fails'),
  step('migrate-volume', 'stop-jobs', 'Cancels what the agents still do for a failed run', {
    wakesHosts: true,
    answersTasksOf: ['migrate-volume'],
  }),
  step('migrate-volume', 'notify-ended', 'Records the outcome and tells subscribers', { tellsEvents: true }),
  step('migrate-volume', 'record-cleanup', 'Records what a removal came to', { tellsEvents: true }),
  step('volume-job', 'dispatch-volume', 'Hands a create or delete to a host agent', {
    wakesHosts: true,
    answersTasksOf: ['volume-job'],
  }),
  step('volume-job', 'record-volume', 'Records that a volume is available, or gone'),
  step('volume-job', 'record-volume-error', 'Records why a create or delete failed'),
  {
    name: 'sweep',
    entry: 'functions/upkeep/handlers/sweep.ts',
    description: 'Finishes whatever its writer died before doing',
    timeoutSeconds: 300,
    eventRetries: 0,
    tellsEvents: true,
    wakesHosts: true,
    answersTasksOf: machineNames,
    startsRunsOf: machineNames,
    scansTable: true,
  },
  {
    name: 'reconcile',
    entry: 'functions/upkeep/handlers/reconcile.ts',
    description: 'Releases the claim of an execution that ended badly',
    tellsEvents: true,
    startsRunsOf: ['migrate-volume'],
  },
  {
    name: 'api',
    entry: 'functions/api/handler.ts',
    description: 'The HTTP API',
    timeoutSeconds: 29,
    tellsEvents: true,
    wakesHosts: true,
    answersTasksOf: ['migrate-volume'],
    startsRunsOf: machineNames,
  },
];

/** `notify-started` -> `NotifyStarted`. */
export const pascalCase = (slug: string): string =>
  slug.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
