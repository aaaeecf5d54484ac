import { describe, expect, it } from 'vitest';
import { type Job, type JobTypes, migrationJobId, resultOf } from '../../domain/job/job.ts';
import { exportName } from '../../domain/names.ts';
import { createDigest } from '../../host-agent/digest/digest.ts';
import { treeOf } from '../../host-agent/digest/tree.ts';
import { CHUNK_BYTES, leafHash } from '../../host-agent/digest/tree-hash.ts';
import { createExports } from '../../host-agent/exports.ts';
import { openGenerationJournal } from '../../host-agent/journal/generations.ts';
import { connectNbd } from '../../host-agent/nbd/client.ts';
import { memoryDevice } from '../data-path/helpers/memory-device.ts';
import { SERVER } from '../data-path/helpers/nbd-rig.ts';
import { thrownBy } from '../data-path/helpers/thrown.ts';
import { MIGRATION_ID } from '../helpers/factories.ts';
import { refusalOf } from '../helpers/refusal.ts';
import { type AgentRig, PLACE } from './helpers/agent-rig.ts';
import { bytesIn, CHUNKS, DATA, flip, SIZE_BYTES, type TwoAgents, tamper, twoAgents } from './helpers/two-agents.ts';

/** What the agents do for a run that goes on with the destination of the run before. */

const NEVER = new AbortController().signal;
const COPY_1 = migrationJobId(MIGRATION_ID, 1, 'data.copy');
const COPY_2 = migrationJobId(MIGRATION_ID, 2, 'data.copy');
/** So far run 1 has come. */
const SETTLED_CHUNKS = 5;
const isSettled = (chunk: number): boolean => chunk < SETTLED_CHUNKS;
const lengthOf = (chunk: number): number => (chunk === CHUNKS ? 512 : CHUNK_BYTES);
const sumOf = (chunks: readonly number[]): number => chunks.reduce((sum, chunk) => sum + lengthOf(chunk), 0);

const chunkOf = (content: Buffer, chunk: number): Buffer =>
  content.subarray(chunk * CHUNK_BYTES, chunk * CHUNK_BYTES + lengthOf(chunk));

/** Run 1 has failed: its checkpoint and leaves are kept, and behind the mark lies what it had under way. */
const afterRun1 = async (agents: TwoAgents): Promise<void> => {
  const { source, destination, volume, made } = agents;
  const content = await bytesIn(source, volume);
  const digest = createDigest(SIZE_BYTES);
  const leaves = await source.parts.leaves.begin(COPY_1, SIZE_BYTES, 0);
  for (let chunk = 0; chunk < SETTLED_CHUNKS; chunk++) {
    if (DATA.some((one) => one === chunk)) {
      const leaf = leafHash(chunkOf(content, chunk));
      digest.chunk(leaf);
      leaves.chunk(leaf);
      await tamper(destination, made, chunk * CHUNK_BYTES, chunkOf(content, chunk));
    } else {
      digest.zeroes(1);
      leaves.zeroes(1);
    }
  }
  await leaves.handedOver();
  await leaves.close();
  const checkpoint = { settledBytes: SETTLED_CHUNKS * CHUNK_BYTES, digest: digest.state() };
  await source.parts.checkpoints.write({ jobId: COPY_1, writeEpoch: 0, checkpoint });
  await tamper(destination, made, 7 * CHUNK_BYTES, Buffer.alloc(4096, 0x99));
};

const ended = async (agent: AgentRig, spec: Parameters<AgentRig['queue']>[0]): Promise<Job> => {
  const job = await agent.queue(spec, { run: 2, id: migrationJobId(MIGRATION_ID, 2, spec.kind) });
  await agent.run(job).done;
  return agent.stored(job);
};

const prepare = ({ destination, made }: TwoAgents, change: object = {}): Promise<Job> =>
  ended(destination, {
    kind: 'destination.prepare',
    input: {
      objectName: made.objectName,
      place: PLACE,
      sizeBytes: SIZE_BYTES,
      admitFingerprint: SERVER.fingerprint,
      existingId: made.objectId,
      ...change,
    },
  });

const copy = async (
  { source, copyInput }: TwoAgents,
  change: Partial<JobTypes['data.copy']['input']>,
): Promise<JobTypes['data.copy']['result']> => {
  const input = { ...copyInput, destinationIsZero: false, destinationHasContent: true as const, ...change };
  const job = await ended(source, { kind: 'data.copy', input });
  const result = resultOf(job, 'data.copy');
  if (!result) throw new Error(JSON.stringify(job.stage));
  return result;
};

const verify = async ({ destination, made }: TwoAgents): Promise<string | null | undefined> => {
  const input = { object: made, sizeBytes: SIZE_BYTES, progressIntervalSeconds: null, digest: true };
  return resultOf(await ended(destination, { kind: 'data.verify', input }), 'data.verify')?.digest;
};

const isWhole = async ({ source, destination, volume, made }: TwoAgents): Promise<boolean> =>
  (await bytesIn(destination, made)).equals(await bytesIn(source, volume));

describe('a copy that goes on from the checkpoint of the run before', () => {
  it('reads and writes what comes after its mark alone, and proves all of it', async () => {
    const agents = await twoAgents();
    await afterRun1(agents);
    const prepared = resultOf(await prepare(agents), 'destination.prepare');

    const copied = await copy(agents, { carriesOnFrom: COPY_1 });

    const rest = DATA.filter((chunk) => !isSettled(chunk));
    expect(prepared).toMatchObject({ object: agents.made, zero: false });
    expect(copied.bytesRead).toBe(sumOf(rest));
    expect(copied.bytesWritten).toBe(sumOf(rest));
    expect(await verify(agents)).toBe(copied.digest);
    expect(await isWhole(agents)).toBe(true);
  });

  it('makes checkpoint and leaves its own: they are as if there had been one copy only', async () => {
    const agents = await twoAgents();
    await afterRun1(agents);
    await prepare(agents);

    const copied = await copy(agents, { carriesOnFrom: COPY_1 });

    const { checkpoints, leaves } = agents.source.parts;
    expect(await checkpoints.read(COPY_1, 0)).toBeUndefined();
    expect(await leaves.open(COPY_1, SIZE_BYTES)).toBeUndefined();
    const file = await leaves.open(COPY_2, SIZE_BYTES);
    expect(file && (await treeOf(file, SIZE_BYTES).digest(NEVER))).toBe(copied.digest);
    await file?.close();
  });

  it.each<[string, Partial<JobTypes['data.copy']['input']>]>([
    ['of another write epoch', { writeEpoch: 1 }],
    ['of another copy', { carriesOnFrom: 'another.1.data.copy' }],
  ])('never uses one %s: then it compares, and writes only what differs', async (_what, change) => {
    const agents = await twoAgents();
    await afterRun1(agents);
    await flip(agents.source, agents.volume, 0);
    await prepare(agents);

    const copied = await copy(agents, { carriesOnFrom: COPY_1, ...change });

    const changed = [0, ...DATA.filter((chunk) => !isSettled(chunk))];
    expect(copied.bytesRead).toBe(sumOf([...DATA]));
    expect(copied.bytesWritten).toBe(sumOf(changed));
    expect(await verify(agents)).toBe(copied.digest);
    expect(await isWhole(agents)).toBe(true);
  });

  it('without a digest goes on writing what comes after the mark, whatever lies there', async () => {
    const agents = await twoAgents();
    await afterRun1(agents);
    const state = { format: 'none', sizeBytes: SIZE_BYTES, chunks: SETTLED_CHUNKS, frontier: [] } as const;
    const settledBytes = SETTLED_CHUNKS * CHUNK_BYTES;
    const none = { settledBytes, digest: state as never };
    await agents.source.parts.checkpoints.write({ jobId: COPY_1, writeEpoch: 0, checkpoint: none });
    await prepare(agents);

    const copied = await copy(agents, { carriesOnFrom: COPY_1, digest: false });

    expect(copied).toMatchObject({ digest: null, bytesRead: sumOf(DATA.filter((chunk) => !isSettled(chunk))) });
    expect(await isWhole(agents)).toBe(true);
  });
});

describe('a copy that fails', () => {
  it.each([
    [undefined, false],
    [3600, true],
  ])('keeps its checkpoint and leaves for %s seconds: %s', async (keptForSeconds, isKept) => {
    const agents = await twoAgents();
    const { source, copyInput } = agents;
    await afterRun1(agents);
    const input = { ...copyInput, ...(keptForSeconds === undefined ? {} : { keptForSeconds }) };
    const job = await source.queue({ kind: 'data.copy', input }, { id: COPY_1 });
    const cancelled = await source.wish(job, { paused: true });
    const running = source.run(cancelled);
    running.heard({ ...cancelled, control: { ...cancelled.control, cancel: true } });
    await running.done;

    expect((await source.stored(job)).stage).toMatchObject({ state: 'failed' });
    const { checkpoints, leaves } = source.parts;
    expect((await checkpoints.read(COPY_1, 0)) !== undefined).toBe(isKept);
    const file = await leaves.open(COPY_1, SIZE_BYTES);
    expect(file !== undefined).toBe(isKept);
    await file?.close();
  });

  it('is forgotten with its job, when that leaves the host’s list', async () => {
    const agents = await twoAgents();
    await afterRun1(agents);
    const { checkpoints } = agents.source.parts;

    await checkpoints.keepOnly([COPY_1]);
    const listed = await checkpoints.read(COPY_1, 0);
    await checkpoints.keepOnly([COPY_2]);

    expect(listed).toBeDefined();
    expect(await checkpoints.read(COPY_1, 0)).toBeUndefined();
  });
});

describe('the run before, once the next one is let in', () => {
  const writerOf = (run: number, { destination }: TwoAgents) => {
    const [host = '', port] = destination.server.address.split(':');
    return connectNbd({
      host,
      port: Number(port),
      exportName: exportName(MIGRATION_ID, run, 1),
      tls: { ...SERVER, peerFingerprint: SERVER.fingerprint },
      signal: NEVER,
    });
  };

  it('has lost its connection, and is let in never again, also not after a restart', async () => {
    const agents = await twoAgents();
    const { destination, made } = agents;
    const late = await writerOf(1, agents);
    await late.write(0, Buffer.from('in time'));

    await prepare(agents);
    const written = await thrownBy(late.write(0, Buffer.from('too late')));
    const again = await thrownBy(writerOf(1, agents));
    const next = await writerOf(2, agents);
    await next.close();

    expect(written.name).toMatch(/^(ConnectionLost|ExportSealed)$/);
    expect(again.message).toMatch(/sealed/);
    expect((await bytesIn(destination, made)).toString('latin1', 0, 8)).toBe('in time\0');
    const restarted = createExports({
      journal: await openGenerationJournal(destination.directory),
      open: async () => memoryDevice(SIZE_BYTES),
      endExport: async () => undefined,
    });
    const resolve = (run: number, attempt: number) =>
      restarted.resolve(exportName(MIGRATION_ID, run, attempt), SERVER.fingerprint);
    expect(await resolve(1, 9)).toEqual({ refused: 'the export is sealed' });
    expect(await resolve(2, 1)).toHaveProperty('device');
  });

  it('opens for no repair, and is not admitted when it comes late', async () => {
    const agents = await twoAgents();
    const { exports } = agents.destination.parts;
    await prepare(agents);

    const sealed = { migrationId: MIGRATION_ID, run: 1, generation: 0, sizeBytes: SIZE_BYTES };
    const repair = await refusalOf(exports.openForRepair(sealed));
    const object = { ...agents.made, objectName: 'shared' };
    const admission = { migrationId: MIGRATION_ID, object, admitFingerprint: SERVER.fingerprint };
    await exports.admit({ ...admission, run: 8 });
    const older = await refusalOf(exports.admit({ ...admission, run: 7 }));

    expect([repair.code, older.code]).toEqual(['NoProof', 'PeerRefused']);
  });
});

describe('a destination that was kept and is not there any more', () => {
  it.each<[string, object, string]>([
    ['was replaced by another of its name', { existingId: 'inode-1' }, 'ObjectMissing'],
    ['was removed by hand', { objectName: 'nothing' }, 'ObjectMissing'],
    ['is too small by now', { sizeBytes: 2 * SIZE_BYTES }, 'DestinationTooSmall'],
  ])('is told when it %s; nothing is made in its place', async (_what, change, code) => {
    const agents = await twoAgents();

    const job = await prepare(agents, change);

    expect(job.stage).toMatchObject({ state: 'failed', failure: { code } });
    expect(
      await agents.destination.parts.backends.get(PLACE).find({ pool: PLACE.pool, objectName: 'nothing' }, NEVER),
    ).toBeUndefined();
  });
});
