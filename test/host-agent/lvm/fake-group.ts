import { createLvm } from '../../../host-agent/drivers/lvm/commands.ts';
import { LVM_BACKEND } from '../../../host-agent/drivers/lvm/config.ts';
import type { Parts } from '../../../host-agent/drivers/lvm/parts.ts';
import type { LvmPool } from '../../../host-agent/drivers/lvm/pool.ts';
import type { Tool, ToolEnd } from '../../../host-agent/tools/run-tool.ts';

/** What LVM would answer of a group, for what needs a moment that a real one comes to by chance alone. */

export const NAME = 'volume-11111111-1111-4111-8111-111111111111-create-1';
export const UUID = 'aaaaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa';

export interface FakeVolume {
  lv_name: string;
  lv_uuid: string;
  lv_tags: string;
  lv_device_open: '' | 'open';
  pool_lv: string;
  segtype: string;
}

export const aVolume = (more: Partial<FakeVolume> = {}): FakeVolume => ({
  lv_name: NAME,
  lv_uuid: UUID,
  lv_tags: 'volmove',
  lv_device_open: '',
  pool_lv: '',
  segtype: 'linear',
  ...more,
});

export const end = (stdout = '', exitCode = 0, stderr = ''): ToolEnd => ({ exitCode, stdout, stderr });

const GROUP = { vg_uuid: 'group', vg_size: '1000000000', vg_free: '500000000', vg_extent_size: '1048576' };

const report = (rows: readonly object[]): string =>
  JSON.stringify({ report: [{ vg: rows.map((row) => ({ ...GROUP, vg_attr: 'wz--n-', ...row })) }] });

export type Answer = (tool: Tool) => Promise<ToolEnd | undefined> | ToolEnd | undefined;

/** `answer` comes first; what it does not answer is answered from the volumes. */
export const fakeGroup = (volumes: FakeVolume[], { pool = {}, answer }: { pool?: object; answer?: Answer } = {}) => {
  const asked: string[] = [];
  const runTool = async (tool: Tool): Promise<ToolEnd> => {
    asked.push(tool.program);
    const answered = await answer?.(tool);
    if (answered) return answered;
    if (tool.program === 'vgs') return end(report(volumes.length > 0 ? volumes : [{}]));
    if (tool.program === 'lvremove')
      volumes.splice(
        0,
        volumes.length,
        ...volumes.filter(({ lv_name }) => !tool.args.includes(`fake-group/${lv_name}`)),
      );
    return end();
  };
  const backend = LVM_BACKEND.parse({
    name: 'lvm',
    driver: 'lvm',
    pools: [{ name: 'main', vg: 'fake-group', ...pool }],
  });
  const lvmPool = { ...backend.pools[0], backend: 'lvm', place: 'lvm#main' } as LvmPool;
  const known = new Map<string, string>();
  const parts: Parts = {
    lvm: createLvm(runTool, 1_000),
    known: {
      idOf: (_backend, name) => known.get(name),
      remember: async (_backend, name, id) => void known.set(name, id),
    },
    children: { start: () => Promise.reject(new Error('no program was to be started')) },
    runDir: '/nonexistent',
    monotonicMs: () => 0,
    sleep: async () => undefined,
  };
  return { pool: lvmPool, parts, asked };
};
