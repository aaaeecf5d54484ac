import type { Programs } from './deps.ts';

/** Loads the long-running programs when they are asked for: the commands that only ask questions start in no time. */

export const loadPrograms = (): Programs => ({
  up: async (options) => (await import('../../embedded/up.ts')).runUp(options),
  agent: async (options) => (await import('../../host-agent/main.ts')).runAgent(options),
  demo: async (options) => (await import('../demo.ts')).runDemo(options),
});
