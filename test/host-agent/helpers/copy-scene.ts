import type { Job } from '../../../domain/job/job.ts';
import type { ObjectRef } from '../../../domain/placement.ts';
import { CHUNK_BYTES } from '../../../host-agent/digest/tree-hash.ts';
import type { RunningJob } from '../../../host-agent/jobs/run-job.ts';
import { SERVER } from '../../data-path/helpers/nbd-rig.ts';
import { until } from '../../data-path/helpers/until.ts';
import { MIGRATION_ID, VOLUME_ID } from '../../helpers/factories.ts';
import { type AgentRig, INTERVAL_MS, PLACE } from './agent-rig.ts';

/** A volume of four chunks with data in the first and the last, a destination that is prepared, and a copy that is queued. */
export const SIZE_BYTES = 4 * CHUNK_BYTES + 512;
const NEVER = new AbortController().signal;

export const objectNamed = async (agent: AgentRig, objectName: string): Promise<ObjectRef> => {
  const made = await agent.parts.backends
    .get(PLACE)
    .create({ pool: PLACE.pool, objectName, sizeBytes: SIZE_BYTES }, NEVER);
  return { ...PLACE, objectName, objectId: made.objectId, sizeBytes: made.sizeBytes };
};

export const contentOf = async (agent: AgentRig, { pool, objectName }: ObjectRef): Promise<Buffer> => {
  const { device } = await agent.parts.backends.get(PLACE).open({ pool, objectName }, 'ro', NEVER);
  const content = Buffer.alloc(device.sizeBytes);
  await device.read(0, content);
  await device.close();
  return content;
};

export const aSource = async (agent: AgentRig): Promise<ObjectRef> => {
  const source = await objectNamed(agent, `volume-${VOLUME_ID}-create-1`);
  const { device } = await agent.parts.backends.get(PLACE).open(source, 'rw', NEVER);
  await device.write(1000, Buffer.alloc(CHUNK_BYTES / 2, 0x17));
  await device.write(SIZE_BYTES - 512, Buffer.alloc(512, 0x18));
  await device.flush();
  await device.close();
  return source;
};

export interface CopyScene {
  readonly source: ObjectRef;
  readonly destination: ObjectRef;
  readonly job: Job;
}

export const copyScene = async (agent: AgentRig, change: Partial<Job> = {}): Promise<CopyScene> => {
  const source = await aSource(agent);
  const destination = await objectNamed(agent, `volume-${VOLUME_ID}-${MIGRATION_ID}-1`);
  await agent.parts.exports.admit({
    migrationId: MIGRATION_ID,
    run: 1,
    object: destination,
    admitFingerprint: SERVER.fingerprint,
  });
  const job = await agent.queue(
    {
      kind: 'data.copy',
      input: {
        source,
        sizeBytes: SIZE_BYTES,
        peer: { address: agent.server.address, fingerprint: SERVER.fingerprint },
        destinationIsZero: true,
        writeEpoch: 0,
        progressIntervalSeconds: null,
        digest: true,
      },
    },
    change,
  );
  return { source, destination, job };
};

export interface PausedCopy extends CopyScene {
  readonly running: RunningJob;
  readonly stop: AbortController;
  /** The pause is over: the copy goes on. */
  readonly goOn: () => Promise<void>;
}

/** A copy that is connected, and paused before its first byte. */
export const pausedCopy = async (agent: AgentRig): Promise<PausedCopy> => {
  const scene = await copyScene(agent);
  const job = await agent.wish(scene.job, { paused: true });
  const stop = new AbortController();
  const running = agent.run(job, stop.signal);
  await until('the copy is paused', async () => (await agent.stored(job)).progress?.activity === 'paused');
  await until('it waits for its interval', () => agent.time.sleeping(INTERVAL_MS) === 1);
  const goOn = async (): Promise<void> => {
    const wished = await agent.wish(job, { paused: false });
    // a job that has ended keeps its wishes
    running.heard({ ...wished, control: { ...wished.control, paused: false } });
  };
  return { ...scene, running, stop, goOn };
};
