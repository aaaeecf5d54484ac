import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { removableVolume, removeVolume } from '../../../host-agent/drivers/lvm/remove.ts';
import { refusalOf } from '../../helpers/refusal.ts';
import { aVolume, end, fakeGroup, NAME, UUID } from './fake-group.ts';

const NEVER = new AbortController().signal;
const BY_NAME = { pool: 'main', objectName: NAME, objectId: null };
const BY_ID = { ...BY_NAME, objectId: UUID };

const THIN_POOL = { lv_name: 'pool', lv_uuid: 'pool', lv_tags: '', segtype: 'thin-pool' };
const thinGroup = (zero: string) =>
  fakeGroup([aVolume({ ...THIN_POOL, ...{ zero } }), aVolume({ pool_lv: 'pool', segtype: 'thin' })], {
    pool: { thin_pool: 'pool' },
  });

describe('the removal of a volume', () => {
  it('that is asked for by its name alone takes nothing that has not our tag, and says whose it is not', async () => {
    const volumes = [aVolume({ lv_tags: '' })];
    const { parts, pool, asked } = fakeGroup(volumes);

    const errors = [
      await refusalOf(removeVolume(parts, pool, BY_NAME, NEVER)),
      await refusalOf(removableVolume(parts, pool, BY_NAME, NEVER)),
    ];

    expect(errors.map(({ code }) => code)).toEqual(['ObjectBusy', 'ObjectBusy']);
    expect(errors[0]?.message).toContain('has not the tag volmove');
    expect(asked).not.toContain('lvremove');
    // one that was adopted has no tag, and is known by its uuid
    expect(await removeVolume(parts, pool, BY_ID, NEVER)).toBe(true);
  });

  it('waits for udev before it asks who has it open', async () => {
    const volume = aVolume({ lv_device_open: 'open' });
    const { parts, pool, asked } = fakeGroup([volume], {
      answer: ({ program }) => {
        if (program === 'udevadm') volume.lv_device_open = '';
        return undefined;
      },
    });

    expect(await removeVolume(parts, pool, BY_ID, NEVER)).toBe(true);
    expect(asked.slice(0, 3)).toEqual(['vgs', 'udevadm', 'vgs']);
  });

  it('is refused when it stays open, after a few looks', async () => {
    const { parts, pool, asked } = fakeGroup([aVolume({ lv_device_open: 'open' })]);

    const error = await refusalOf(removeVolume(parts, pool, BY_ID, NEVER));

    expect(error.code).toBe('ObjectBusy');
    expect(asked).toEqual(['vgs', 'udevadm', 'vgs', 'udevadm', 'vgs']);
  });

  it('comes to an end also when somebody makes it again whenever it is looked for', async () => {
    let looks = 0;
    const { parts, pool, asked } = fakeGroup([aVolume()], {
      answer: ({ program }) => {
        if (program !== 'vgs') return undefined;
        looks += 1;
        return looks % 2 === 1 ? end(JSON.stringify({ report: [{ vg: [{ vg_uuid: 'group' }] }] })) : undefined;
      },
    });

    const error = await refusalOf(removeVolume(parts, pool, BY_ID, NEVER));

    expect(error.code).toBe('ObjectBusy');
    expect(asked).toHaveLength(6);
  });

  it.each(['lvcreate -n NAME', 'lvextend vg/NAME'])(
    'of one that is not there waits for a %s that runs',
    async (how) => {
      const [program = '', ...args] = how.replace('NAME', NAME).split(' ');
      const { parts, pool } = fakeGroup([]);
      // known by how it was called
      const command = spawn('bash', ['-c', `exec -a ${program} sh -c 'echo there; sleep 1000; :' ${args.join(' ')}`], {
        stdio: ['ignore', 'pipe', 'ignore'],
        detached: true,
      });
      onTestFinished(() => void process.kill(-(command.pid as number), 'SIGKILL'));
      await once(command.stdout, 'data');

      const error = await refusalOf(removeVolume(parts, pool, BY_ID, NEVER));

      expect(error.code).toBe('BackendOffline');
      // what it has just started still looks like it
      expect(error.message).toMatch(new RegExp(`process ${command.pid}[ ,\\d]* may still make`));
    },
  );
});

describe('what there is to wipe', () => {
  it('is nothing of a thin volume whose pool zeroes its blocks before it gives them away', async () => {
    const { parts, pool } = thinGroup('zero');

    expect(await removableVolume(parts, pool, BY_ID, NEVER)).toEqual({ thin: true });
  });

  it('is what is mapped of a thin volume of a pool that does not, and all of a thick one', async () => {
    const { parts, pool } = thinGroup('');
    const thick = fakeGroup([aVolume()]);

    expect(await removableVolume(parts, pool, BY_ID, NEVER)).toEqual({ thin: false, onlyData: true });
    expect(await removableVolume(thick.parts, thick.pool, BY_ID, NEVER)).toEqual({ thin: false });
  });
});
