// What happens to a frame whose time has come, or whose iterations have moved on.
import { advance } from './advance.ts';
import type { Draft } from './draft.ts';
import { attempt } from './failing.ts';
import { stateOf } from './flow.ts';
import type { Frame } from './frame.ts';
import { continueMap } from './states/map.ts';
import { taskTimedOut } from './states/task.ts';
import { endWait } from './states/wait.ts';

export async function wake(draft: Draft, frame: Frame): Promise<void> {
  const state = stateOf(draft, frame.state);
  switch (frame.phase.kind) {
    case 'retrying':
      return advance(draft, frame);
    case 'sleeping':
      if (state.type !== 'Wait') throw misfit(frame);
      return attempt(draft, frame.id, () => endWait(draft, frame, state));
    case 'calling':
    case 'awaiting':
      if (state.type !== 'Task') throw misfit(frame);
      return taskTimedOut(draft, frame, state);
    case 'mapping':
      if (state.type !== 'Map') throw misfit(frame);
      return continueMap(draft, frame, state);
    case 'entered':
    case 'iterated':
      return;
  }
}

function misfit(frame: Frame): Error {
  return new Error(`The state '${frame.state}' cannot be ${frame.phase.kind}: journal and definition do not fit`);
}
