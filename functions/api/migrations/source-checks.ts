import { isUp } from '../../../domain/host/host.ts';
import type { Way } from '../../../domain/migration/way.ts';
import { unclaimable } from '../../../domain/volume/claim.ts';
import type { Volume } from '../../../domain/volume/volume.ts';
import type { Deps } from '../../shared/deps.ts';
import { waitFrom } from '../agents/wait.ts';
import { askSource, type SourceAnswer } from './ask-source.ts';
import { bad, type Check, good, untold } from './check.ts';

/** What only the source's agent can say, for a dry run: what would be in the way, and how the volume would be moved. */

interface AskedOf {
  readonly volume: Volume | undefined;
  readonly projectId: string;
  readonly signal: AbortSignal | undefined;
}

/** Of a volume that is free, on a host that is up; whatever else there is stands in the checks above. */
const ask = async (
  deps: Deps,
  { volume, projectId, signal }: AskedOf,
  way: Way | undefined,
): Promise<SourceAnswer | undefined> => {
  if (!volume?.location || unclaimable(volume) !== undefined) return undefined;
  const host = await deps.store.hosts.get(volume.location.hostId);
  if (!host || !isUp(host, deps.clock.nowMs())) return undefined;
  const question = { source: volume.location, sizeBytes: volume.sizeBytes, projectId, way };
  return askSource(deps)(question, waitFrom(deps, signal));
};

const objectCheck = (said: SourceAnswer | undefined): Check[] => {
  const name = 'source_object';
  switch (said?.answer) {
    case undefined:
      return [];
    case 'way':
      return [good(name, 'It is there, it can be read, and nothing keeps it from being given up afterwards.')];
    case 'refusal':
      return [bad(name, said.failure)];
    case 'none':
      return [
        untold(name, said.why, 'Ask again; if it stays, look at the log of the source’s agent and at its storage.'),
      ];
  }
};

/** Nothing that could fail: how it would be done, and why. */
const wayChecks = (way: Way | undefined, said: SourceAnswer | undefined): Check[] => {
  if (!way) return [];
  if (way.way === 'copy') return [good('way', `It is copied: ${way.why}.`)];
  if (said?.answer !== 'way')
    return [good('way', 'Its backend moves it by itself, unless that says no then: in that case it is copied.')];
  return said.check.way === 'backend'
    ? [good('way', 'Its backend moves it by itself.')]
    : [good('way', `It is copied: its backend does not move it (${said.check.why ?? 'it moves nothing by itself'}).`)];
};

export const sourceChecks =
  (deps: Deps) =>
  async (asked: AskedOf, way: Way | undefined): Promise<Check[]> => {
    const said = await ask(deps, asked, way);
    return [...objectCheck(said), ...wayChecks(way, said)];
  };
