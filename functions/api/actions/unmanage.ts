import { parseInput } from '../http/input.ts';
import { unmanageVolume } from '../manage/unmanage.ts';
import { action } from './action.ts';
import { NOTHING } from './schema.ts';

/** os-unmanage: the volume is forgotten, what it lives on stays. */
export const osUnmanage = action<unknown>({
  policy: { rule: 'volume_extension:volume_unmanage', role: 'admin' },
  parse: (payload) => parseInput(NOTHING, payload, 'os-unmanage'),
  run:
    (deps) =>
    async ({ volume }) => {
      await unmanageVolume(deps)(volume.id);
      return { status: 202 };
    },
});
