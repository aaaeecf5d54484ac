// Map: one frame for each iteration, at most `concurrency` of them at work; the results in the order of the items.
import type { MapState } from '../../definition/types.ts';
import { evaluate, evaluateAs } from '../../expressions/evaluate.ts';
import type { Json } from '../../json.ts';
import type { Draft } from '../draft.ts';
import { attempt } from '../failing.ts';
import { depart, enterState, leaveState, newFrame, payloadText } from '../flow.ts';
import type { Frame } from '../frame.ts';
import { dropIterations } from '../iterations.ts';
import { scopeOf } from '../scope.ts';
import { wholeSeconds } from './seconds.ts';

/** Step Functions runs at most 40 iterations of an inline Map at a time. */
const MOST_CONCURRENT = 40;

export async function beginMap(draft: Draft, frame: Frame, state: MapState): Promise<void> {
  const scope = scopeOf(draft, frame);
  const given = state.items ?? ({ kind: 'literal', value: frame.input } as const);
  const field = { name: 'Items', template: given, expected: 'an array' };
  const items = await evaluateAs(field, scope, (value) => (Array.isArray(value) ? value : undefined));
  payloadText(items, `the Items of the state '${state.name}'`);
  let limit = 0;
  if (state.maxConcurrency !== undefined) {
    const wanted = { name: 'MaxConcurrency', template: state.maxConcurrency, expected: 'a whole number' };
    limit = await evaluateAs(wanted, scope, (value) => wholeSeconds(value, 0));
  }
  const concurrency = limit === 0 ? MOST_CONCURRENT : Math.min(limit, MOST_CONCURRENT);
  const started = draft.event(frame, 'MapStateStarted', { length: items.length });
  draft.put({ ...started, phase: { kind: 'mapping', items, concurrency } });
}

/** Starts the iterations that there is room for, or ends the state when all have ended. Safe to repeat. */
export function continueMap(draft: Draft, parent: Frame, state: MapState): Promise<void> {
  return attempt(draft, parent.id, async () => {
    const { phase } = parent;
    if (phase.kind !== 'mapping') return;
    const children = draft.children(parent.id);
    const atWork = children.filter((child) => child.phase.kind !== 'iterated').length;
    const free = phase.concurrency - atWork;
    const first = children.length;
    for (const [offset, value] of phase.items.slice(first, first + free).entries()) {
      await beginIteration(draft, parent, state, first + offset, value);
    }
    if (atWork === 0 && children.length === phase.items.length) await endMap(draft, parent, state, children);
  });
}

async function beginIteration(draft: Draft, parent: Frame, state: MapState, index: number, value: Json): Promise<void> {
  const scope = scopeOf(draft, parent, { item: { index, value } });
  const input = state.itemSelector === undefined ? value : await evaluate(state.itemSelector, scope);
  const text = payloadText(input, `the input of iteration ${index} of the state '${state.name}'`);
  const frame = newFrame(`${parent.id}/${index}`, { parentId: parent.id, index }, parent.lastEventId);
  const started = draft.event(frame, 'MapIterationStarted', { name: state.name, index });
  enterState(draft, started, state.startAt, input, text);
}

async function endMap(draft: Draft, parent: Frame, state: MapState, children: readonly Frame[]): Promise<void> {
  const result = children.map(({ phase }) => (phase.kind === 'iterated' ? phase.output : null));
  const lastEventId = Math.max(parent.lastEventId, ...children.map((child) => child.lastEventId));
  const succeeded = draft.event({ ...parent, lastEventId }, 'MapStateSucceeded');
  const scope = scopeOf(draft, succeeded, { result });
  const departure = await depart(state, scope, result, state.next);
  dropIterations(draft, parent);
  leaveState(draft, succeeded, departure);
}
