// The dependencies of an engine with the defaults filled in, shared by all its machines.
import type { ArnScope } from '../api/arns.ts';
import { type Clock, systemClock } from '../clock.ts';
import type { EngineDependencies } from '../dependencies.ts';
import type { ExpressionEnvironment } from '../expressions/functions.ts';

export interface EngineSettings {
  readonly dependencies: EngineDependencies;
  readonly clock: Clock;
  readonly scope: ArnScope;
  readonly environment: ExpressionEnvironment;
  /** Aborted when the engine closes. */
  readonly closing: AbortSignal;
}

export function resolveSettings(dependencies: EngineDependencies, closing: AbortSignal): EngineSettings {
  const clock = dependencies.clock ?? systemClock;
  return {
    dependencies,
    clock,
    closing,
    scope: { region: dependencies.region ?? 'us-east-1', accountId: dependencies.accountId ?? '000000000000' },
    environment: {
      nowMs: () => clock.nowMs(),
      random: () => dependencies.random(),
      newId: () => dependencies.newId(),
    },
  };
}
