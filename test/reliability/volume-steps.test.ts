import { describe, expect, it } from 'vitest';
import { removalJobId } from '../../domain/cleanup.ts';
import { volmoveError } from '../../domain/error.ts';
import { createJobId } from '../../domain/job/job.ts';
import { createdObjectName } from '../../domain/names.ts';
import { requestDelete } from '../../domain/volume/lifecycle.ts';
import { dispatchVolume } from '../../functions/workflow/dispatch/volume.ts';
import { recordVolume, recordVolumeError } from '../../functions/workflow/steps/record-volume.ts';
import { anObject, aVolume, DESTINATION } from '../helpers/factories.ts';
import { createRig, endJob, type Rig } from '../helpers/rig.ts';
import { type Step, stateOf } from '../workflow/walk.ts';

/** The steps of volume-job, as test/workflow/steps.test.ts has it for those of migrate-volume. */

const ID = '55555555-5555-4555-8555-555555555555';
const MADE = anObject(createdObjectName(ID, 1), DESTINATION);
const failure = volmoveError('NoSpace', { reason: 'full' }).toFailure();
const error = { Error: 'NoSpace', Cause: '{"errorMessage":"full"}' };

const command = (operation: number) => ({ volumeId: ID, operation });
const dispatchStep = (operation: number): Step => ({
  name: 'Dispatch',
  run: ({ deps, clock }) =>
    dispatchVolume(deps)({
      ...command(operation),
      token: `token of ${operation}`,
      entered: new Date(clock.nowMs()).toISOString(),
      retry: 0,
    }),
});
const record = (operation: number): Step => ({
  name: 'Record',
  run: ({ deps }) => recordVolume(deps)(command(operation)),
});
const recordError = (operation: number): Step => ({
  name: 'RecordError',
  run: ({ deps }) => recordVolumeError(deps)({ ...command(operation), error }),
});
const agentMakes = (outcome: Parameters<typeof endJob>[3]): Step => ({
  name: 'agent',
  run: (rig) => endJob(rig, 'host-b', createJobId(ID, 1), outcome),
});
const agentRemoves = (outcome: Parameters<typeof endJob>[3]): Step => ({
  name: 'agent',
  async run(rig) {
    const [entry] = (await rig.deps.store.volumes.get(ID))?.cleanup ?? [];
    if (entry) await endJob(rig, 'host-b', removalJobId(entry, entry.tries), outcome);
  },
});

const creating = aVolume({ id: ID, status: 'creating', location: null, placement: DESTINATION });
const there = aVolume({ id: ID, location: MADE, placement: DESTINATION });

const STORIES: readonly [string, typeof creating, readonly Step[]][] = [
  ['a create', creating, [dispatchStep(1), agentMakes({ result: { object: MADE } }), record(1)]],
  ['a create that fails', creating, [dispatchStep(1), agentMakes({ failure }), recordError(1)]],
  ['a delete', there, [dispatchStep(2), agentRemoves({ result: { existed: true } }), record(2)]],
  ['a delete that fails', there, [dispatchStep(2), agentRemoves({ failure }), recordError(2)]],
];

const begin = async (volume: typeof creating): Promise<Rig> => {
  const rig = await createRig({ claimed: false });
  await rig.deps.store.volumes.create(volume);
  if (volume.status !== 'creating') await rig.deps.store.volumes.apply([ID], requestDelete(rig.clock.nowMs()));
  return rig;
};

describe.each(STORIES)('in %s', (_what, volume, steps) => {
  it.each(steps.filter(({ name }) => name !== 'agent'))(
    '$name done twice leaves the same state as once',
    async (step) => {
      const rig = await begin(volume);
      for (const earlier of steps.slice(0, steps.indexOf(step))) await earlier.run(rig);
      const before = await stateOf(rig);
      await step.run(rig);
      const once = await stateOf(rig);
      rig.clock.advanceMs(500);

      await step.run(rig);

      expect(once).not.toEqual(before);
      expect(withoutTokens(await stateOf(rig))).toEqual(withoutTokens(once));
    },
  );
});

/** A step that is entered again brings a newer token, and nothing else. */
const withoutTokens = (state: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(state).filter(([key]) => !key.includes(' TOKEN#')));
