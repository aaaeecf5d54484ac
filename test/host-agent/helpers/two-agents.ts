import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Job, JobKind, JobSpec, JobTypes } from '../../../domain/job/job.ts';
import { resultOf } from '../../../domain/job/job.ts';
import type { ObjectRef } from '../../../domain/placement.ts';
import { CHUNK_BYTES } from '../../../host-agent/digest/tree-hash.ts';
import { SERVER } from '../../data-path/helpers/nbd-rig.ts';
import { MIGRATION_ID, VOLUME_ID } from '../../helpers/factories.ts';
import { type AgentRig, agentRig, PLACE } from './agent-rig.ts';

/** A volume at one agent and its destination at another, each with its own data directory; jobs are run one by one. */
export const CHUNKS = 12;
export const SIZE_BYTES = CHUNKS * CHUNK_BYTES + 512;
/** Chunks with data; the others are holes. The last one is short. */
export const DATA = [0, 3, 4, 5, 9, CHUNKS] as const;
const NEVER = new AbortController().signal;

export interface TwoAgents {
  readonly source: AgentRig;
  readonly destination: AgentRig;
  readonly volume: ObjectRef;
  readonly made: ObjectRef;
  readonly run: <K extends JobKind>(agent: AgentRig, spec: JobSpec & { kind: K }) => Promise<JobTypes[K]['result']>;
  readonly copyInput: JobTypes['data.copy']['input'];
}

const make = async (agent: AgentRig, objectName: string): Promise<ObjectRef> => {
  const driver = agent.parts.backends.get(PLACE);
  const made = await driver.create({ pool: PLACE.pool, objectName, sizeBytes: SIZE_BYTES }, NEVER);
  return { ...PLACE, objectName, objectId: made.objectId, sizeBytes: made.sizeBytes };
};

/** Writes past everything that an agent knows of, as a storage that betrays does. */
export const tamper = async (agent: AgentRig, object: ObjectRef, offset: number, bytes: Buffer): Promise<void> => {
  const { device } = await agent.parts.backends.get(object).open(object, 'rw', NEVER);
  await device.write(offset, bytes);
  await device.flush();
  await device.close();
};

export const flip = (agent: AgentRig, object: ObjectRef, chunk: number): Promise<void> =>
  tamper(agent, object, chunk * CHUNK_BYTES + 17, Buffer.from([0xee]));

export const fill = async (agent: AgentRig, object: ObjectRef): Promise<void> => {
  for (const chunk of DATA)
    await tamper(agent, object, chunk * CHUNK_BYTES, Buffer.alloc(chunk === CHUNKS ? 512 : CHUNK_BYTES, chunk + 1));
};

/** Damages every leaf file that the agent has. */
export const damageLeaves = async ({ directory }: AgentRig): Promise<void> => {
  const folder = join(directory, 'leaves');
  for (const name of await readdir(folder)) {
    const handle = await open(join(folder, name), 'r+');
    await handle.write(Buffer.alloc(7, 0x55), 0, 7, 3);
    await handle.close();
  }
};

export const bytesIn = async (agent: AgentRig, object: ObjectRef): Promise<Buffer> => {
  const { device } = await agent.parts.backends.get(object).open(object, 'ro', NEVER);
  const content = Buffer.alloc(SIZE_BYTES);
  await device.read(0, content);
  await device.close();
  return content;
};

export const twoAgents = async (): Promise<TwoAgents> => {
  const [source, destination] = [await agentRig(), await agentRig()];
  const volume = await make(source, `volume-${VOLUME_ID}-create-1`);
  await fill(source, volume);
  const made = await make(destination, `volume-${VOLUME_ID}-${MIGRATION_ID}-1`);
  const admitFingerprint = SERVER.fingerprint;
  await destination.parts.exports.admit({ migrationId: MIGRATION_ID, run: 1, object: made, admitFingerprint });
  return {
    source,
    destination,
    volume,
    made,
    async run(agent, spec) {
      const job: Job = await agent.queue(spec);
      await agent.run(job).done;
      const ended = await agent.stored(job);
      const result = resultOf(ended, spec.kind);
      if (!result) throw new Error(`${spec.kind}: ${JSON.stringify(ended.stage)}`);
      return result;
    },
    copyInput: {
      source: volume,
      sizeBytes: SIZE_BYTES,
      peer: { address: destination.server.address, fingerprint: SERVER.fingerprint },
      destinationIsZero: true,
      writeEpoch: 0,
      progressIntervalSeconds: null,
      digest: true,
    },
  };
};
