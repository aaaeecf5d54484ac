import { StopExecutionCommand } from '@aws-sdk/client-sfn';
import { afterEach, describe, expect, it } from 'vitest';
import { statesClient } from '../../aws/clients.ts';
import { inMidCopy } from './mid-copy.ts';
import { type Rig, startRig } from './rig.ts';

const SLOW = 24 * 1024 * 1024;

describe('a part is killed with -9 in mid-copy', () => {
  let rig: Rig | undefined;
  afterEach(() => rig?.stop());

  it.each(['alpha', 'beta', 'cloud'])(
    '%s comes back, and the migration carries on to its proven end by itself',
    async (victim) => {
      rig = await startRig();
      const { id, migration, before } = await inMidCopy(rig, SLOW);

      await rig.kill(victim);
      await rig.start(victim);
      const ended = await rig.ended(migration);

      expect(ended).toMatchObject({ state: 'succeeded' });
      expect(await rig.content(id)).toBe(before);
      expect(await rig.volume(id)).toMatchObject({ status: 'available', 'os-vol-host-attr:host': 'beta@files#main' });
      expect((await rig.objects()).filter((name) => name.includes(id))).toHaveLength(1);
    },
  );

  it('a destination that never comes back costs the migration, not the volume; its leftover waits for the host', async () => {
    rig = await startRig(['alpha', 'beta'], { peer_away_seconds: 3 });
    const { id, migration, before } = await inMidCopy(rig, SLOW);

    await rig.kill('beta');
    const failed = await rig.inPhase(migration, 'failed');
    const volume = await rig.volume(id);
    const content = await rig.content(id);
    await rig.start('beta');
    const cleaned = await rig.ended(migration);

    expect(failed).toMatchObject({ state: 'failed', reason: { remedy: expect.any(String) } });
    expect(volume).toMatchObject({
      status: 'available',
      migration_status: 'error',
      'os-vol-host-attr:host': 'alpha@files#main',
    });
    expect(content).toBe(before);
    expect(cleaned.cleanup.state).toBe('done');
    expect((await rig.objects()).filter((name) => name.includes(id))).toHaveLength(1);
  });

  it('an execution that is stopped by hand is rolled back by a new run, which says so', async () => {
    rig = await startRig();
    const { id, migration, before } = await inMidCopy(rig, SLOW);
    const states = statesClient({ region: 'us-east-1', endpoint: rig.url });
    const executionArn = `arn:aws:states:us-east-1:000000000000:execution:migrate-volume:${migration}-1`;

    await states.send(new StopExecutionCommand({ executionArn, cause: 'by an operator' }));
    const ended = await rig.ended(migration);

    expect(ended).toMatchObject({ state: 'failed', reason: { code: 'ExecutionEnded' } });
    expect(await rig.volume(id)).toMatchObject({ status: 'available', 'os-vol-host-attr:host': 'alpha@files#main' });
    expect(await rig.content(id)).toBe(before);
    expect((await rig.objects()).filter((name) => name.includes(id))).toHaveLength(1);
  });
});
