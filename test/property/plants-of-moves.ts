import type { Volume } from '../../domain/volume/volume.ts';
import { ALL_RULES } from '../helpers/sim/world.ts';
import { applyingTo, type Change, changed, type Plant } from './plant-tools.ts';

/** Sentences about moves that a backend makes by itself. */

const withMove = (volume: Volume, change: Partial<NonNullable<NonNullable<Volume['claim']>['move']>>): Volume =>
  volume.claim?.move ? { ...volume, claim: { ...volume.claim, move: { ...volume.claim.move, ...change } } } : volume;

/** Guests are let in as if they would find their bytes. */
const guestsMayComeAnyhow: Change = (deps, thread) =>
  thread.kind === 'guest'
    ? applyingTo(deps, (rule) => (volume) => rule(withMove(volume, { attachDuringMove: 'safe' })))
    : deps;

/** The claim is given back while the backend has not gone back. */
const releasesBeforeItIsUndone: Change = (deps, _thread, name) =>
  name === 'ReleaseClaim'
    ? applyingTo(deps, (rule) => (volume) => {
        if (!volume.claim?.move) return rule(volume);
        const { move: _, ...claim } = volume.claim;
        return rule({ ...volume, claim });
      })
    : deps;

/** Nobody who comes late is told that the backend goes back. */
const goesBackUnannounced: Change = (deps, _thread, name) =>
  name === 'Dispatch'
    ? applyingTo(
        deps,
        (rule) => (volume) =>
          changed(rule(volume), (next) => {
            if (!next.claim?.move?.undoing) return next;
            const { undoing: _, ...move } = next.claim.move;
            return { ...next, claim: { ...next.claim, move } };
          }),
      )
    : deps;

const INSIDE = { inside: 4 } as const;

export const MOVE_PLANTS: readonly Plant[] = [
  {
    name: 'guests let in while the backend moves their volume',
    plant: guestsMayComeAnyhow,
    mood: { ...INSIDE, guest: 4 },
    seenAs: /which is not there|write is lost/,
  },
  {
    name: 'a claim released before the backend has gone back',
    plant: releasesBeforeItIsUndone,
    mood: { ...INSIDE, cancel: 4 },
    seenAs: /is not there|still moves/,
  },
  {
    name: 'a way back that nobody hears of',
    plant: goesBackUnannounced,
    mood: { ...INSIDE, freeze: 4, 'time-out': 4 },
    seenAs: /stuck|is not there/,
  },
  {
    name: 'moves begun after they were undone',
    rules: { ...ALL_RULES, tombstones: false },
    mood: { ...INSIDE, freeze: 4, cancel: 4, 'time-out': 2 },
    seenAs: /still moves|is not there/,
  },
];
