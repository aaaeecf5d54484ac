import type { Volume } from '../../domain/volume/volume.ts';
import type { Deps } from './deps.ts';
import { recordOutcome } from './outcome.ts';

/** No claim and no restore is accepted until the last outcome stands in its migration's item; whoever wants one writes it there first. */
export const settleLast =
  (deps: Deps) =>
  async ({ lastOutcome }: Volume): Promise<{ migrationId: string; run: number } | null> => {
    if (!lastOutcome) return null;
    await recordOutcome(deps)(lastOutcome, 'api');
    return { migrationId: lastOutcome.migrationId, run: lastOutcome.run };
  };
