// The end of a Map state's iterations when the state fails or is retried.
import type { Draft } from './draft.ts';
import { stateOf } from './flow.ts';
import type { Frame } from './frame.ts';

/** Notes that the iterations still under way are aborted, the innermost first. */
export function abortIterations(draft: Draft, parent: Frame): void {
  for (const child of draft.children(parent.id)) {
    if (child.iteration === null || child.phase.kind === 'iterated') continue;
    abortIterations(draft, child);
    const { type } = stateOf(draft, child.state);
    // Step Functions has an Aborted event only for the kinds of states that take time.
    const aborted =
      type === 'Task' || type === 'Wait' || type === 'Map' ? draft.event(child, `${type}StateAborted`) : child;
    draft.event(aborted, 'MapIterationAborted', { name: parent.state, index: child.iteration.index });
  }
}

/** Drops the frames of all iterations of a Map state, and of those inside them. */
export function dropIterations(draft: Draft, parent: Frame): void {
  for (const child of draft.children(parent.id)) {
    dropIterations(draft, child);
    draft.drop(child.id);
  }
}
