import type { Volume } from '../../domain/volume/volume.ts';
import { applyingTo, type Change, changed, type Plant, withStore } from './plant-tools.ts';

/** Sentences about the volume's item: claim, lock, fence, epoch, retained objects. */

/** Finalize decides on what it read when it began. */
const finalizesBlindly: Change = (deps, _thread, name) => {
  if (name !== 'Finalize') return deps;
  let read: Volume | undefined;
  return withStore(deps, {
    volumes: {
      get: async (id) => {
        read = await deps.store.volumes.get(id);
        return read;
      },
      apply: (id, rule) =>
        deps.store.volumes.apply(id, (volume) => {
          const { claim, fence, writeEpoch } = read ?? volume;
          return rule({ ...volume, claim, fence, writeEpoch });
        }),
    },
  });
};

/** The requests of guests leave the claim, the fence and the epoch as they are. */
const guestsGiveNoNotice: Change = (deps, thread) =>
  thread.kind === 'guest'
    ? applyingTo(deps, (rule) => (volume) => {
        if (!volume.claim) return rule(volume);
        const { claim, fence, writeEpoch, lastOutcome, migrationStatus } = volume;
        return changed(rule(volume), (next) => ({ ...next, claim, fence, writeEpoch, lastOutcome, migrationStatus }));
      })
    : deps;

/** Guests are let in whether the volume is locked or not. */
const lockKeepsNobodyOut: Change = (deps, thread) =>
  thread.kind === 'guest'
    ? applyingTo(deps, (rule) => (volume) => {
        const { claim } = volume;
        return rule(
          claim?.lock ? { ...volume, claim: { ...claim, lock: false }, status: claim.previousStatus } : volume,
        );
      })
    : deps;

/** A delete does not ask whether the volume is claimed. */
const deletesWhatIsMoved: Change = (deps, thread) =>
  thread.name.startsWith('delete') ? applyingTo(deps, (rule) => (volume) => rule({ ...volume, claim: null })) : deps;

/** A run that was taken over acts as if it were still the claimed one. */
const zombiesHoldTheClaim: Change = (deps, thread, name) => {
  const run = Number(/-(\d+) [A-Z]\w+$/.exec(thread.name)?.[1]);
  if (name === undefined || !Number.isInteger(run)) return deps;
  const asMine = <V extends Volume | undefined>(volume: V): V =>
    volume?.claim ? { ...volume, claim: { ...volume.claim, run, rollback: null } } : volume;
  const { volumes } = deps.store;
  return withStore(deps, {
    volumes: {
      get: async (id) => asMine(await volumes.get(id)),
      apply: (id, rule, seen) => volumes.apply(id, (volume) => rule(asMine(volume)), seen),
    },
  });
};

/** A removal does not ask whether the object is kept. */
const removesWhatIsKept: Change = (deps, thread, name) => {
  if (thread.name !== 'sweeper' && name !== 'Dispatch') return deps;
  const get = async (id: string): Promise<Volume | undefined> => {
    const volume = await deps.store.volumes.get(id);
    return volume && { ...volume, retained: [] };
  };
  return withStore(deps, { volumes: { get } });
};

/** A restore does not ask whether the volume was written to since. */
const restoresUnasked: Change = (deps, thread) =>
  thread.name.startsWith('restore')
    ? applyingTo(deps, (rule) => (volume) => {
        const retained = volume.retained.map((kept) => ({ ...kept, writeEpoch: volume.writeEpoch }));
        return rule({ ...volume, retained });
      })
    : deps;

/** A retry goes on with what was kept, and leaves it in `retained[]`. */
const retryTakesNothingOut: Change = (deps, thread) =>
  thread.name === 'retry'
    ? applyingTo(deps, (rule) => (volume) => changed(rule(volume), (next) => ({ ...next, retained: volume.retained })))
    : deps;

export const VOLUME_PLANTS: readonly Plant[] = [
  {
    name: 'Finalize without a look at the claim',
    plant: finalizesBlindly,
    mood: { freeze: 1, guest: 2, 'time-out': 1 },
    seenAs: /guest’s write is lost|ended twice/,
    from: 110,
  },
  {
    name: 'a guest’s request that does not end the claim',
    plant: guestsGiveNoNotice,
    mood: { guest: 4 },
    seenAs: /guest’s write is lost/,
  },
  {
    name: 'a lock that lets guests in',
    plant: lockKeepsNobodyOut,
    mood: { guest: 4 },
    seenAs: /an attach was let in/,
  },
  {
    name: 'a delete of a volume that is claimed',
    plant: deletesWhatIsMoved,
    mood: { delete: 4 },
    seenAs: /vanished without an outcome/,
  },
  {
    name: 'a step that does not ask which run is claimed',
    plant: zombiesHoldTheClaim,
    mood: { abort: 4, freeze: 1 },
    seenAs: /ended twice|vanished without an outcome|says failed/,
    from: 100,
  },
  {
    name: 'a removal of what is kept',
    plant: removesWhatIsKept,
    mood: {},
    seenAs: /the kept object .* was removed/,
  },
  {
    name: 'a restore over changes that nobody gives up',
    plant: restoresUnasked,
    mood: { restore: 6 },
    seenAs: /a restore gives up what the guest has written/,
    from: 30,
  },
  {
    name: 'a retry that leaves what it takes in retained[]',
    plant: retryTakesNothingOut,
    mood: { retry: 6, 'time-out': 4 },
    seenAs: /kept and lived on at once|is not there|was removed|left over/,
  },
];
