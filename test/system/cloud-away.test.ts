import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { inMidCopy } from './mid-copy.ts';
import { type Rig, startRig } from './rig.ts';

const HOST_LOST_AFTER_MS = 4_000;
const AWAY_MS = 6_000;
const SLOW = 4 * 1024 * 1024;

describe('a control plane that is away for longer than it waits for a host', () => {
  let rig: Rig | undefined;
  afterEach(() => rig?.stop());

  it.each(['killed', 'frozen'])(
    '%s, and back, takes no host for lost that it could not hear: the copy carries on to its proven end',
    async (how) => {
      const environment = { VOLMOVE_HOST_LOST_AFTER_MS: String(HOST_LOST_AFTER_MS) };
      rig = await startRig(['alpha', 'beta'], { heartbeat_seconds: 1 }, ['main'], environment);
      const { id, migration, before } = await inMidCopy(rig, SLOW);

      if (how === 'killed') await rig.kill('cloud');
      else rig.freeze('cloud');
      await sleep(AWAY_MS);
      if (how === 'killed') await rig.start('cloud');
      else rig.thaw('cloud');
      const ended = await rig.ended(migration);

      expect(ended).toMatchObject({ state: 'succeeded', reason: null });
      expect(await rig.content(id)).toBe(before);
      expect((await rig.objects()).filter((name) => name.includes(id))).toHaveLength(1);
    },
    120_000,
  );
});
