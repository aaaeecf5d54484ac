import type { Job } from '../../../domain/job/job.ts';
import type { ObjectRef } from '../../../domain/placement.ts';
import { POLL_MS } from '../../../host-agent/dd/dd.ts';
import { SERVER } from '../../data-path/helpers/nbd-rig.ts';
import { until } from '../../data-path/helpers/until.ts';
import { MIGRATION_ID, VOLUME_ID } from '../../helpers/factories.ts';
import { type AgentRig, PLACE } from './agent-rig.ts';
import { MIB } from './dd-rig.ts';

/** A volume and a prepared destination on one host, and the job that copies it by dd. */
export const VOLUME_BYTES = 64 * MIB;
const NEVER = new AbortController().signal;

const made = async (agent: AgentRig, objectName: string, sizeBytes: number): Promise<ObjectRef> => {
  const driver = agent.parts.backends.get(PLACE);
  const { objectId } = await driver.create({ pool: PLACE.pool, objectName, sizeBytes }, NEVER);
  return { ...PLACE, objectName, objectId, sizeBytes };
};

export const filled = async (agent: AgentRig, object: ObjectRef, offset: number, bytes: Buffer): Promise<void> => {
  const { device } = await agent.parts.backends.get(PLACE).open(object, 'rw', NEVER);
  await device.write(offset, bytes);
  await device.flush();
  await device.close();
};

export interface DdScene {
  readonly source: ObjectRef;
  readonly destination: ObjectRef;
  readonly job: Job;
}

export interface DdSceneOptions {
  readonly destinationBytes?: number;
  readonly destinationIsZero?: boolean;
  readonly digest?: boolean;
  readonly peerFingerprint?: string;
}

export const ddScene = async (agent: AgentRig, options: DdSceneOptions = {}): Promise<DdScene> => {
  const { destinationBytes = VOLUME_BYTES, destinationIsZero = true, digest = true } = options;
  const source = await made(agent, `volume-${VOLUME_ID}-create-1`, VOLUME_BYTES);
  await filled(agent, source, MIB, Buffer.alloc(2 * MIB, 0x17));
  await filled(agent, source, VOLUME_BYTES - 512, Buffer.alloc(512, 0x18));
  const destination = await made(agent, `volume-${VOLUME_ID}-${MIGRATION_ID}-1`, destinationBytes);
  const { fingerprint } = agent.parts.identity;
  await agent.parts.exports.admit({
    migrationId: MIGRATION_ID,
    run: 1,
    object: destination,
    admitFingerprint: fingerprint,
  });
  const job = await agent.queue({
    kind: 'data.copy',
    input: {
      source,
      sizeBytes: VOLUME_BYTES,
      peer: { address: agent.server.address, fingerprint: options.peerFingerprint ?? SERVER.fingerprint },
      destinationIsZero,
      writeEpoch: 0,
      progressIntervalSeconds: null,
      digest,
      engine: 'dd',
    },
  });
  return { source, destination, job };
};

/** The number of the dd that copies, once one does; probes come and go before it. */
export const copyingDd = async (agent: AgentRig): Promise<number> => {
  await until('a dd copies', () => agent.time.sleeping(POLL_MS) > 0);
  const [child] = await agent.childJournal.all();
  if (!child) throw new Error('it has ended already');
  return child.pid;
};

/** A copy whose dd is stopped in the middle. */
export const pausedDd = async (agent: AgentRig, options: DdSceneOptions = {}) => {
  const scene = await ddScene(agent, options);
  const job = await agent.wish(scene.job, { paused: true });
  const running = agent.run(job);
  const pid = await copyingDd(agent);
  return { ...scene, job, running, pid };
};
