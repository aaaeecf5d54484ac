import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Job, JobSpec } from '../../domain/job/job.ts';
import { createNbdServer } from '../../host-agent/nbd/server.ts';
import { CLIENT, SERVER, STRANGER } from '../data-path/helpers/nbd-rig.ts';
import { until } from '../data-path/helpers/until.ts';
import { type AgentRig, agentRig } from './helpers/agent-rig.ts';
import { contentOf, copyScene } from './helpers/copy-scene.ts';

const FIRST_PAUSE_MS = 200;
const AWAY_MS = 121_000;

/** Something else that listens where the other agent did. */
const strangerAt = async (greeting: string): Promise<string> => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end(greeting);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
};

const copyTo = async (agent: AgentRig, peer: { address: string; fingerprint: string }) => {
  const scene = await copyScene(agent);
  const spec = { kind: 'data.copy', input: { ...scene.job.input, peer } } as JobSpec;
  return { ...scene, job: await agent.queue(spec, { id: 'to the old address' }) };
};

const waits = (agent: AgentRig): Promise<void> =>
  until('it waits before it comes back', () => agent.time.sleeping(FIRST_PAUSE_MS) === 1);

describe('a copy whose peer came back at another address', () => {
  const wentOn = async (agent: AgentRig, job: Job): Promise<Job> => {
    const running = agent.run(job);
    await waits(agent);
    running.heard(await agent.wish(job, { peerAddress: agent.server.address }));
    agent.time.wake(FIRST_PAUSE_MS);
    await running.done;
    return agent.stored(job);
  };

  it.each([
    ['somebody who does not speak NBD', 'SSH-2.0-OpenSSH_9.7 and some more words\r\n'],
    ['somebody who says nothing', ''],
  ])('meets %s at the old one, and comes back to the one that it is told', async (_whom, greeting) => {
    const agent = await agentRig();
    const address = await strangerAt(greeting);
    const { job, source, destination } = await copyTo(agent, { address, fingerprint: SERVER.fingerprint });

    const ended = await wentOn(agent, job);

    expect(ended).toMatchObject({ attempt: 2, stage: { state: 'succeeded' } });
    expect((await contentOf(agent, destination)).equals(await contentOf(agent, source))).toBe(true);
  });

  it('meets another agent at the old one, and comes back to the one that it is told', async () => {
    const agent = await agentRig();
    const other = await createNbdServer({
      host: '127.0.0.1',
      port: 0,
      tls: STRANGER,
      resolveExport: async () => ({ refused: 'no such export is open' }),
    });
    onTestFinished(() => other.close());
    const { job } = await copyTo(agent, { address: other.address, fingerprint: SERVER.fingerprint });

    const ended = await wentOn(agent, job);

    expect(ended.stage.state).toBe('succeeded');
  });
});

describe('a copy that finds another party at its peer’s address', () => {
  it('is tried again while the peer may still come back, then fails and says who answers there', async () => {
    const agent = await agentRig();
    const { job } = await copyTo(agent, { address: agent.server.address, fingerprint: CLIENT.fingerprint });
    const running = agent.run(job);
    await waits(agent);

    agent.clock.advanceMs(AWAY_MS);
    agent.time.wake(FIRST_PAUSE_MS);
    await running.done;

    expect((await agent.stored(job)).stage).toMatchObject({
      state: 'failed',
      failure: {
        code: 'PeerCertificateMismatch',
        message: expect.stringContaining(SERVER.fingerprint),
        remedy: expect.stringContaining('who listens at that address'),
      },
    });
    expect(agent.generations.get(job.migrationId ?? '', 1)).toMatchObject({ attempt: 0 });
  });

  it('names the address that it was told last', async () => {
    const agent = await agentRig();
    const [first, last] = [await strangerAt(''), await strangerAt('')];
    const { job } = await copyTo(agent, { address: first, fingerprint: SERVER.fingerprint });
    const running = agent.run(job);
    await waits(agent);

    running.heard(await agent.wish(job, { peerAddress: last }));
    agent.clock.advanceMs(AWAY_MS);
    agent.time.wake(FIRST_PAUSE_MS);
    await running.done;

    const { stage } = await agent.stored(job);
    expect(stage).toMatchObject({ state: 'failed', failure: { message: expect.stringContaining(` to ${last}`) } });
    expect(JSON.stringify(stage)).not.toContain(first);
  });
});
