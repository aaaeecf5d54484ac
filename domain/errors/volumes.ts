import { entry, type Id, type Reason } from './entry.ts';

/** What the volume's state refuses. */
export const VOLUME_ERRORS = {
  InvalidVolume: entry<Reason>(
    400,
    false,
    (p) => `Invalid volume: ${p.reason}`,
    'Look at the volume: volmove show VOLUME.',
  ),
  CannotAttach: entry<Reason>(
    400,
    false,
    (p) => `Invalid volume: ${p.reason}`,
    'Only an available volume can be attached. See who has it: volmove show VOLUME; take it from there: volmove detach VOLUME.',
  ),
  CannotDetach: entry<Reason>(
    400,
    false,
    (p) => `Invalid volume: ${p.reason}`,
    'Only a volume that is in use can be detached; an available one is free already. See it: volmove show VOLUME.',
  ),
  CannotDelete: entry<Reason>(
    400,
    false,
    (p) => `Invalid volume: ${p.reason}`,
    'See its status: volmove show VOLUME. One that is in use is freed first: volmove detach VOLUME.',
  ),
  VolumeLocked: entry<Reason>(
    400,
    false,
    (p) => `Invalid volume: ${p.reason}`,
    'A migration has locked the volume; see which: volmove show VOLUME. Wait until it ends (volmove watch MIGRATION) or cancel it (volmove cancel MIGRATION).',
  ),
  VolumeClaimed: entry<Reason>(
    400,
    false,
    (p) => `Invalid volume: ${p.reason}`,
    'A migration is active. Wait until it ends (volmove watch MIGRATION) or cancel it (volmove cancel MIGRATION).',
  ),
  SwitchingOver: entry<Id>(
    400,
    false,
    (p) => `Invalid volume: Volume ${p.id} is being switched over to its new place; nothing can end that now.`,
    'Try again in a few seconds.',
  ),
  MovedByBackend: entry<{ id: string; request: string }>(
    400,
    false,
    (p) =>
      `Invalid volume: Volume ${p.id} is being moved by its backend, where a guest would not find it; ${p.request} is refused until that ends.`,
    'Wait for the migration to end, or cancel it. A migration with force_host_copy lets guests in at any time.',
  ),
  OutcomeUnsettled: entry<Id>(
    409,
    true,
    (p) => `The outcome of migration ${p.id} has not been recorded yet.`,
    'Try again.',
  ),
  TooLate: entry<{ id: string; state: string }>(
    409,
    false,
    (p) => `Migration ${p.id} cannot be cancelled: ${p.state}.`,
    'Look at it: volmove show MIGRATION.',
  ),
  CannotAdjust: entry<{ id: string; what: string; reason: string }>(
    409,
    false,
    (p) => `Migration ${p.id} cannot be ${p.what}: ${p.reason}.`,
    'Look at it: volmove show MIGRATION.',
  ),
  CannotRestore: entry<{ id: string; reason: string }>(
    409,
    false,
    (p) => `Volume ${p.id} cannot go back to its source: ${p.reason}.`,
    'See where it lives and what is kept of it: volmove show VOLUME.',
  ),
  ChangesSinceMigration: entry<{ id: string; migrationId: string }>(
    409,
    false,
    (p) =>
      `Volume ${p.id} may have been written to since migration ${p.migrationId} left its source: going back would lose that.`,
    'Save what you need first; then ask again with discard_changes (volmove restore VOLUME --discard-changes).',
  ),
  CannotRetry: entry<{ id: string; reason: string }>(
    409,
    false,
    (p) => `Migration ${p.id} cannot be retried: ${p.reason}.`,
    'Look at it: volmove show MIGRATION.',
  ),
} as const;
