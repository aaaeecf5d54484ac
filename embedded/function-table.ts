import type { LambdaFunction } from './lambda/runtime.ts';

/** Every Lambda of the project by name: the very handlers that are deployed, loaded once the cloud's endpoint is known. */

export const FUNCTION_PREFIX = 'volmove-';

type Handler = LambdaFunction['handler'];
type Load = () => Promise<{ readonly handler: unknown }>;

/** Substitution in the state machines' files, handler, and time-out. */
interface Entry {
  readonly substitution?: string;
  readonly load: Load;
  readonly timeoutMs: number;
}

const STEP_MS = 30_000;

const ENTRIES: Readonly<Record<string, Entry>> = {
  'notify-started': {
    substitution: 'NotifyStartedFunctionArn',
    load: () => import('../functions/workflow/handlers/notify-started.ts'),
    timeoutMs: STEP_MS,
  },
  validate: {
    substitution: 'ValidateFunctionArn',
    load: () => import('../functions/workflow/handlers/validate.ts'),
    timeoutMs: STEP_MS,
  },
  'lock-volume': {
    substitution: 'LockVolumeFunctionArn',
    load: () => import('../functions/workflow/handlers/lock-volume.ts'),
    timeoutMs: STEP_MS,
  },
  'switch-over': {
    substitution: 'SwitchOverFunctionArn',
    load: () => import('../functions/workflow/handlers/switch-over.ts'),
    timeoutMs: STEP_MS,
  },
  dispatch: {
    substitution: 'DispatchFunctionArn',
    load: () => import('../functions/workflow/handlers/dispatch.ts'),
    timeoutMs: STEP_MS,
  },
  finalize: {
    substitution: 'FinalizeFunctionArn',
    load: () => import('../functions/workflow/handlers/finalize.ts'),
    timeoutMs: STEP_MS,
  },
  'release-claim': {
    substitution: 'ReleaseClaimFunctionArn',
    load: () => import('../functions/workflow/handlers/release-claim.ts'),
    timeoutMs: STEP_MS,
  },
  'stop-jobs': {
    substitution: 'StopJobsFunctionArn',
    load: () => import('../functions/workflow/handlers/stop-jobs.ts'),
    timeoutMs: STEP_MS,
  },
  'notify-ended': {
    substitution: 'NotifyEndedFunctionArn',
    load: () => import('../functions/workflow/handlers/notify-ended.ts'),
    timeoutMs: STEP_MS,
  },
  'record-cleanup': {
    substitution: 'RecordCleanupFunctionArn',
    load: () => import('../functions/workflow/handlers/record-cleanup.ts'),
    timeoutMs: STEP_MS,
  },
  'dispatch-volume': {
    substitution: 'DispatchVolumeFunctionArn',
    load: () => import('../functions/workflow/handlers/dispatch-volume.ts'),
    timeoutMs: STEP_MS,
  },
  'record-volume': {
    substitution: 'RecordVolumeFunctionArn',
    load: () => import('../functions/workflow/handlers/record-volume.ts'),
    timeoutMs: STEP_MS,
  },
  'record-volume-error': {
    substitution: 'RecordVolumeErrorFunctionArn',
    load: () => import('../functions/workflow/handlers/record-volume-error.ts'),
    timeoutMs: STEP_MS,
  },
  sweep: { load: () => import('../functions/upkeep/handlers/sweep.ts'), timeoutMs: 120_000 },
  reconcile: { load: () => import('../functions/upkeep/handlers/reconcile.ts'), timeoutMs: STEP_MS },
  api: { load: () => import('../functions/api/handler.ts'), timeoutMs: 29_000 },
};

export interface FunctionTable {
  readonly functions: Readonly<Record<string, LambdaFunction>>;
  /** Values for `${...FunctionArn}` in the state machines' files. */
  readonly substitutions: Readonly<Record<string, string>>;
  /** Loads every handler: after the environment that they parse is in place. */
  load(): Promise<void>;
}

export const functionTable = (arnOf: (functionName: string) => string): FunctionTable => {
  const loaded = new Map<string, Handler>();
  const lambda = (name: string, entry: Entry): LambdaFunction => ({
    timeoutMs: entry.timeoutMs,
    handler: (event, context) => {
      const handler = loaded.get(name);
      if (!handler) throw new Error(`function ${name} was called before the cloud was up`);
      return handler(event, context);
    },
  });
  const all = Object.entries(ENTRIES);
  return {
    functions: Object.fromEntries(all.map(([name, entry]) => [FUNCTION_PREFIX + name, lambda(name, entry)])),
    substitutions: Object.fromEntries(
      all.flatMap(([name, { substitution }]) => (substitution ? [[substitution, arnOf(FUNCTION_PREFIX + name)]] : [])),
    ),
    async load() {
      for (const [name, entry] of all) loaded.set(name, (await entry.load()).handler as Handler);
    },
  };
};
