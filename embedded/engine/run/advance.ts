// One step of a frame that has just entered its state, or that a retry brings back to its beginning.
import type { Draft } from './draft.ts';
import { attempt } from './failing.ts';
import { stateOf } from './flow.ts';
import type { Frame } from './frame.ts';
import { runChoice } from './states/choice.ts';
import { beginMap } from './states/map.ts';
import { runFail, runPass, runSucceed } from './states/simple.ts';
import { beginTask } from './states/task.ts';
import { beginWait } from './states/wait.ts';

export function advance(draft: Draft, frame: Frame): Promise<void> {
  return attempt(draft, frame.id, () => {
    const state = stateOf(draft, frame.state);
    switch (state.type) {
      case 'Pass':
        return runPass(draft, frame, state);
      case 'Choice':
        return runChoice(draft, frame, state);
      case 'Wait':
        return beginWait(draft, frame, state);
      case 'Task':
        return beginTask(draft, frame, state);
      case 'Map':
        return beginMap(draft, frame, state);
      case 'Succeed':
        return runSucceed(draft, frame, state);
      case 'Fail':
        return runFail(draft, frame, state);
    }
  });
}
