import { describe, expect, it } from 'vitest';
import type { FoundPool } from '../../../host-agent/drivers/rbd/cluster.ts';
import type { Commands } from '../../../host-agent/drivers/rbd/commands.ts';
import { imagesOf } from '../../../host-agent/drivers/rbd/images.ts';
import { listImages } from '../../../host-agent/drivers/rbd/list.ts';
import type { ToolEnd } from '../../../host-agent/tools/run-tool.ts';
import { refusalOf } from '../../helpers/refusal.ts';

const NEVER = new AbortController().signal;
const OURS = 'volume-11111111-1111-4111-8111-111111111111-create-1';
const WHERE: FoundPool = {
  pool: { name: 'main', pool: 'fast' },
  place: 'ceph#main',
  poolId: 'id',
  systemId: 'ceph:id',
  usage: 'uncounted',
};

const ok = (answer: unknown): ToolEnd => ({ exitCode: 0, stdout: JSON.stringify(answer), stderr: '' });
const NOT_THERE: ToolEnd = {
  exitCode: 2,
  stdout: '',
  stderr: 'rbd: error opening image: (2) No such file or directory',
};
const BUSY: ToolEnd = { exitCode: 16, stdout: '', stderr: 'rbd: delete error: (16) Device or resource busy' };
const infoWith = (features: readonly string[], flags: readonly string[] = []): ToolEnd =>
  ok({ name: OURS, id: '10f2', size: 4096, features, flags });

/** Answers by the first word of the question, and remembers what was asked. */
const rig = (answers: Readonly<Record<string, ToolEnd>>) => {
  const asked: string[] = [];
  const rbd = async ([verb = '']: readonly string[]): Promise<ToolEnd> => {
    asked.push(verb);
    return answers[verb] ?? ok([]);
  };
  return { asked, images: imagesOf({ rbd } as unknown as Commands, 5) };
};

describe('the images of a pool', () => {
  it.each([
    ['ours', OURS, { 'image-meta': NOT_THERE }],
    ['others', 'vm-disk', { status: NOT_THERE }],
  ] as const)('are listed without one of %s that vanishes between two questions', async (what, name, gone) => {
    const { images } = rig({ ls: ok([name]), info: infoWith(['fast-diff']), ...gone });

    const page = await listImages(WHERE, { pool: 'main', what, after: null, limit: 10 }, images, NEVER);

    expect(page).toEqual({ objects: [], more: false });
  });

  it.each([
    ['keeps no count of its objects', infoWith([])],
    ['has lost count of its objects', infoWith(['fast-diff'], ['fast diff invalid'])],
  ])('are not counted through for whether an untagged one is ours that %s', async (_, info) => {
    const { images, asked } = rig({ info, du: ok({ images: [{ used_size: 0 }] }) });

    expect(await images.makerOf(WHERE, OURS, NEVER)).toBe('others');
    expect(asked).not.toContain('du');
  });

  it('are told apart by what is in them when they are counted anyway', async () => {
    const { images } = rig({ info: infoWith(['fast-diff']), du: ok({ images: [{ used_size: 0 }] }) });

    expect(await images.makerOf(WHERE, OURS, NEVER)).toBe('unfinished');
  });

  it('name who has them open when the cluster only says that they are busy, and what to do', async () => {
    const watchers = [{ address: '10.0.0.7:0/1234', client: 4123 }];
    const { images } = rig({ rm: BUSY, status: ok({ watchers }) });

    const error = await refusalOf(images.act(WHERE, OURS, ['rm'], NEVER));

    expect(error.code).toBe('ObjectBusy');
    expect(error.message).toContain('10.0.0.7:0/1234 has it open: detach or unmap it there');
    expect(error.message).toContain('half a minute');
  });

  it('say how to find out who it is when nobody is seen any more', async () => {
    const { images } = rig({ rm: BUSY, status: ok({ watchers: [] }) });

    expect((await refusalOf(images.act(WHERE, OURS, ['rm'], NEVER))).message).toContain('`rbd status` says which');
  });
});
