import { ALL_RULES } from '../helpers/sim/world.ts';
import type { Plant } from './plant-tools.ts';
import { MOVE_PLANTS } from './plants-of-moves.ts';
import { VOLUME_PLANTS } from './plants-of-volumes.ts';
import { WORKFLOW_PLANTS } from './plants-of-workflow.ts';

const AGENT_PLANTS: readonly Plant[] = [
  {
    name: 'no seal, and old attempts admitted',
    rules: { ...ALL_RULES, seal: false, generations: false },
    mood: { crash: 4 },
    seenAs: /was sealed, and/,
  },
  {
    name: 'old attempts admitted',
    rules: { ...ALL_RULES, generations: false },
    mood: { crash: 4 },
    seenAs: /two writers/,
  },
  {
    name: 'no tombstone',
    rules: { ...ALL_RULES, tombstones: false },
    mood: { freeze: 4, cancel: 4, 'time-out': 2 },
    seenAs: /left over: the object/,
    from: 40,
  },
];

export const PLANTS: readonly Plant[] = [...VOLUME_PLANTS, ...WORKFLOW_PLANTS, ...AGENT_PLANTS, ...MOVE_PLANTS];
