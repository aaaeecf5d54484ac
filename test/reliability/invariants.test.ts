import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Stored } from '../../store/records.ts';
import { tableDefinition } from '../../store/table.ts';
import { createWorld } from '../api/world.ts';
import { VOLUME_ID } from '../helpers/factories.ts';
import { createRig } from '../helpers/rig.ts';
import { type Played, play } from '../helpers/sim/script.ts';
import { HOSTS } from '../helpers/sim/sim.ts';
import { MIGRATION, REPAIRED, SCENES } from '../workflow/scenes.ts';
import { ROLLBACK, SUCCESS } from '../workflow/walk.ts';

/** Sentences of the design that hold at every moment, whatever is going on. */

const source = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

describe('the table', () => {
  it('is written one item at a time: there is no transaction, no batch and no stream', () => {
    const code = source('store/dynamo-records.ts');

    expect(code).not.toMatch(/Transact|BatchWrite/);
    expect(code.match(/new (Put|Delete|Update)Command\(/g)).toHaveLength(3);
    expect(tableDefinition('t')).not.toHaveProperty('StreamSpecification');
    expect(source('infra/constructs/table.ts')).not.toMatch(/stream/i);
  });

  it('has no index key that changes with progress or time: only what opens or closes moves an item', async () => {
    const keysSeen = new Map<string, Set<string>>();
    const rig = await createRig();
    for (const step of SUCCESS) {
      await step.run(rig);
      rig.clock.advanceMs(1);
      for await (const item of rig.records.scan()) {
        const { pk, sk, kind, kindSort, open, openSort } = item as Stored;
        const keys = keysSeen.get(`${pk} ${sk}`) ?? new Set();
        keysSeen.set(`${pk} ${sk}`, keys.add(JSON.stringify([kind, kindSort, open, openSort])));
      }
    }
    const moved = [...keysSeen].filter(([, keys]) => keys.size > 2);
    const movedTwice = [...keysSeen].filter(([key, keys]) => key.startsWith('HOST#') && keys.size > 1);

    expect(keysSeen.size).toBeGreaterThan(8);
    expect(moved).toEqual([]);
    expect(movedTwice).toEqual([]);
  });
});

describe('the hidden destination', () => {
  it.each([
    ['a migration', SUCCESS],
    ['a rollback', ROLLBACK],
  ])('is in no list, at no moment of %s', async (_what, steps) => {
    const rig = await createRig();
    const { ask } = createWorld(rig.records);

    for (const step of steps) {
      await step.run(rig);
      const { body } = await ask('GET', '/v3/volumes/detail?all_tenants=1');
      expect(body.volumes.map(({ id }: { id: string }) => id)).toEqual([VOLUME_ID]);
    }
  });
});

const ofAgents = ({ trace }: Played): { hostId: string; key: string }[] =>
  trace.flatMap((line) => {
    const found = /^~ agent (\S+) with \S+ .*?\b([A-Z]+#\S+)/.exec(line);
    return found?.[1] && found[2] ? [{ hostId: found[1], key: found[2] }] : [];
  });

describe('an agent', () => {
  it.each(SCENES)('reads and writes its own host’s partition and nothing else, in $name', async (scene) => {
    const touched = ofAgents(await play(scene));

    expect(touched.length).toBeGreaterThan(0);
    expect(touched.filter(({ hostId, key }) => !key.startsWith(`HOST#${hostId}`))).toEqual([]);
    expect(HOSTS).toContain(touched[0]?.hostId);
  });

  it('imports nothing that would name another partition', () => {
    const files = readdirSync(new URL('../../host-agent', import.meta.url), { encoding: 'utf8', recursive: true });
    const code = files.filter((file) => file.endsWith('.ts'));

    expect(code).toEqual(expect.arrayContaining(['agent.ts', 'loop.ts', 'jobs/run-job.ts', 'jobs/reporter.ts']));
    for (const file of code)
      expect(source(`host-agent/${file}`), file).not.toMatch(/store\.(volumes|migrations|pools)/);
  });
});

describe('every starred state', () => {
  it.each(['migrate-volume', 'volume-job'])('of %s waits for a bounded time and wants no heartbeat', (machine) => {
    const { States } = JSON.parse(source(`statemachines/${machine}.asl.json`)) as {
      States: Record<string, { Resource?: string; TimeoutSeconds?: unknown; HeartbeatSeconds?: unknown }>;
    };
    const starred = Object.values(States).filter(({ Resource }) => Resource?.endsWith('.waitForTaskToken'));

    expect(starred.length).toBeGreaterThan(0);
    for (const state of starred) {
      expect(state.TimeoutSeconds).toBeDefined();
      expect(state).not.toHaveProperty('HeartbeatSeconds');
      expect(state).not.toHaveProperty('HeartbeatSecondsPath');
    }
  });
});

describe('the sequence of events', () => {
  it.each([MIGRATION, REPAIRED])('never goes back, in $name', async (scene) => {
    const { sim } = await play(scene);
    const sequences = sim.events.map(({ detail }) => detail.sequence);

    expect(sequences.length).toBeGreaterThan(2);
    expect(sequences).toEqual(sequences.toSorted((a, b) => a - b));
  });
});
