import { describe, expect, it } from 'vitest';
import { createReports } from '../../host-agent/backend-reports.ts';
import { measureGrowth } from '../../host-agent/growth.ts';
import { MIGRATION_ID } from '../helpers/factories.ts';
import { agentRig, PLACE } from './helpers/agent-rig.ts';
import { copyScene, SIZE_BYTES } from './helpers/copy-scene.ts';

describe('what an agent tells of destinations that are written to', () => {
  const report = async () => {
    const agent = await agentRig();
    const { job, destination } = await copyScene(agent);
    const told = async () => {
      const signal = new AbortController().signal;
      const { backends } = agent.parts;
      const growth = measureGrowth(backends, agent.generations);
      const [backend] = await createReports({ ...agent.parts, growth })(60_000, signal);
      return backend?.pools.find(({ name }) => name === PLACE.pool)?.growing;
    };
    return { agent, job, destination, told };
  };

  it('is nothing before the first byte: all that is reserved may still be taken', async () => {
    const { told } = await report();

    expect(await told()).toBeUndefined();
  });

  it('is how much each may still take of its pool, and nothing once it is sealed', async () => {
    const { agent, job, destination, told } = await report();
    const { device } = await agent.parts.backends
      .get(destination)
      .open(destination, 'rw', new AbortController().signal);
    const written = 64 * 1024;
    await device.write(0, Buffer.alloc(written, 7), new AbortController().signal);
    await device.flush();
    await device.close();

    const growing = await told();
    await agent.parts.exports.seal(job.migrationId ?? '', job.run);

    expect(Object.keys(growing ?? {})).toEqual([MIGRATION_ID]);
    expect(growing?.[MIGRATION_ID]).toBeLessThanOrEqual(destination.sizeBytes - written);
    expect(growing?.[MIGRATION_ID]).toBeGreaterThan(0);
    expect(SIZE_BYTES).toBeGreaterThan(written);
    expect(await told()).toBeUndefined();
  });
});
