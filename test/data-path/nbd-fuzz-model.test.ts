import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { BlockDevice } from '../../domain/block-device.ts';
import { CHUNK, STATE } from '../../host-agent/nbd/chunk.ts';
import { connectNbd } from '../../host-agent/nbd/client.ts';
import { COMMAND, ERROR, FLAG, type Request } from '../../host-agent/nbd/protocol.ts';
import type { NbdServer } from '../../host-agent/nbd/server.ts';
import { FUZZ_MS, runs } from './helpers/fuzz.ts';
import { type MemoryDevice, memoryDevice } from './helpers/memory-device.ts';
import { plainServer, portOf } from './helpers/raw-client.ts';
import { descriptorsOf, nextReply, structuredInside } from './helpers/raw-structured.ts';

/**
 * Legal requests in any sequence, many at once: what is read, what is told of holes and what is left in the device is what a
 * plain array would hold. Requests that are under way together keep to lanes of their own, as no order is promised among them.
 */
const LANES = 4;
const LANE_BYTES = 64 * 1024;
const SIZE_BYTES = LANES * LANE_BYTES;

type Kind = 'read' | 'write' | 'zeroes' | 'fast zeroes' | 'allocated zeroes' | 'trim' | 'status' | 'flush';

interface Step {
  readonly kind: Kind;
  /** Of the device. */
  readonly offset: number;
  readonly lengthBytes: number;
  readonly byte: number;
  readonly fua: boolean;
}

const kinds: Kind[] = ['read', 'write', 'zeroes', 'fast zeroes', 'allocated zeroes', 'trim', 'status', 'flush'];
const stepIn = (lane: number): fc.Arbitrary<Step> =>
  fc
    .record({
      kind: fc.constantFrom(...kinds),
      at: fc.oneof(
        fc.nat({ max: LANE_BYTES - 1 }),
        fc.nat({ max: 15 }).map((block) => block * 4096),
      ),
      wanted: fc.oneof(fc.integer({ min: 1, max: LANE_BYTES }), fc.constantFrom(1, 512, 4096, LANE_BYTES)),
      byte: fc.integer({ min: 1, max: 255 }),
      fua: fc.boolean(),
    })
    .map(({ at, wanted, ...rest }) => ({
      ...rest,
      offset: lane * LANE_BYTES + at,
      lengthBytes: Math.min(wanted, LANE_BYTES - at),
    }));
const batches = fc.array(fc.tuple(...Array.from({ length: LANES }, (_, lane) => stepIn(lane))), {
  minLength: 1,
  maxLength: 6,
});

/** Keeps conditions about zeroes where they begin at a block; its discard does nothing, so that the model knows what is there. */
const picky = (): MemoryDevice => {
  const device = memoryDevice(SIZE_BYTES);
  return {
    ...device,
    async trim() {},
    async zeroAs(offset, lengthBytes) {
      if (offset % 4096 !== 0) return false;
      await device.writeZeroes(offset, lengthBytes);
      return true;
    },
  };
};

const changed = (model: Buffer, { kind, offset, lengthBytes, byte }: Step): void => {
  const end = offset + lengthBytes;
  if (kind === 'write') model.fill(byte, offset, end);
  if (kind === 'zeroes' || kind === 'allocated zeroes') model.fill(0, offset, end);
  if (kind === 'fast zeroes' && offset % 4096 === 0) model.fill(0, offset, end);
};

/** Holes that are told of must be zeroes in the model. */
const holesAreZeroes = (model: Buffer, holes: readonly { offset: number; lengthBytes: number }[]): void => {
  for (const { offset, lengthBytes } of holes)
    expect(model.subarray(offset, offset + lengthBytes).equals(Buffer.alloc(lengthBytes))).toBe(true);
};

const throughClient = async (remote: BlockDevice, model: Buffer, step: Step): Promise<void> => {
  const { kind, offset, lengthBytes, byte } = step;
  switch (kind) {
    case 'read': {
      const target = Buffer.alloc(lengthBytes, 0xee);
      await remote.read(offset, target);
      expect(target.equals(model.subarray(offset, offset + lengthBytes))).toBe(true);
      return;
    }
    case 'write':
      return remote.write(offset, Buffer.alloc(lengthBytes, byte));
    case 'zeroes':
      return remote.writeZeroes(offset, lengthBytes);
    case 'fast zeroes':
      expect(await remote.zeroAs?.(offset, lengthBytes, { fast: true, allocated: false })).toBe(offset % 4096 === 0);
      return;
    case 'allocated zeroes':
      expect(await remote.zeroAs?.(offset, lengthBytes, { fast: false, allocated: true })).toBe(true);
      return;
    case 'trim':
      return remote.trim?.(offset, lengthBytes);
    case 'flush':
      return remote.flush();
    case 'status': {
      const extents = await Array.fromAsync(remote.extents(offset, lengthBytes));
      expect(extents.reduce((sum, one) => sum + one.lengthBytes, 0)).toBe(lengthBytes);
      return holesAreZeroes(
        model,
        extents.filter((one) => one.kind === 'hole'),
      );
    }
    default:
      return kind satisfies never;
  }
};

const requestOf = ({ kind, offset, lengthBytes, byte, fua }: Step, cookie: bigint): [Request, Buffer | undefined] => {
  const durable = fua ? FLAG.FUA : 0;
  const request = { cookie, offset, lengthBytes };
  switch (kind) {
    case 'read':
      return [{ ...request, command: COMMAND.READ, flags: fua ? FLAG.DF : 0 }, undefined];
    case 'write':
      return [{ ...request, command: COMMAND.WRITE, flags: durable }, Buffer.alloc(lengthBytes, byte)];
    case 'zeroes':
      return [{ ...request, command: COMMAND.WRITE_ZEROES, flags: durable }, undefined];
    case 'fast zeroes':
      return [{ ...request, command: COMMAND.WRITE_ZEROES, flags: durable | FLAG.FAST_ZERO }, undefined];
    case 'allocated zeroes':
      return [{ ...request, command: COMMAND.WRITE_ZEROES, flags: durable | FLAG.NO_HOLE }, undefined];
    case 'trim':
      return [{ ...request, command: COMMAND.TRIM, flags: durable }, undefined];
    case 'status':
      return [{ ...request, command: COMMAND.BLOCK_STATUS, flags: fua ? FLAG.REQ_ONE : 0 }, undefined];
    case 'flush':
      return [{ cookie, offset: 0, lengthBytes: 0, command: COMMAND.FLUSH, flags: 0 }, undefined];
    default:
      return kind satisfies never;
  }
};

type Raw = Awaited<ReturnType<typeof structuredInside>>;

/** Sends the whole batch before it looks at an answer; the cookie is the place in the batch. */
const throughRaw = async (raw: Raw, model: Buffer, batch: readonly Step[]): Promise<void> => {
  for (const [i, step] of batch.entries()) raw.request(...requestOf(step, BigInt(i)));
  const answered = new Set<bigint>();
  for (const _ of batch) {
    const reply = await nextReply(raw);
    const step = batch[Number(reply.cookie)];
    if (!step || answered.has(reply.cookie)) throw new Error('an answer to what was not asked');
    answered.add(reply.cookie);
    const { kind, offset, lengthBytes } = step;
    if (kind === 'read') {
      const content = reply.kind === 'chunk' && reply.type === CHUNK.OFFSET_DATA ? reply.body.subarray(8) : undefined;
      expect(content?.equals(model.subarray(offset, offset + lengthBytes))).toBe(true);
    } else if (kind === 'status') {
      const holes: { offset: number; lengthBytes: number }[] = [];
      let at = offset;
      for (const [bytes, flags] of descriptorsOf(reply)) {
        if (flags === (STATE.HOLE | STATE.ZERO)) holes.push({ offset: at, lengthBytes: bytes });
        at += bytes;
      }
      expect(at).toBeLessThanOrEqual(offset + lengthBytes);
      holesAreZeroes(model, holes);
    } else if (kind === 'fast zeroes' && offset % 4096 !== 0) {
      expect(reply).toMatchObject({ kind: 'chunk', type: CHUNK.ERROR });
      if (reply.kind === 'chunk') expect(reply.body.readUInt32BE(0)).toBe(ERROR.ENOTSUP);
    } else expect(reply).toMatchObject({ kind: 'simple', error: ERROR.OK });
  }
};

const remoteOf = async (server: NbdServer): Promise<BlockDevice> => {
  const signal = new AbortController().signal;
  const remote = await connectNbd({ host: '127.0.0.1', port: portOf(server), exportName: 'there', signal });
  onTestFinished(() => remote.close());
  return remote;
};

type Through = (model: Buffer, batch: readonly Step[]) => Promise<void>;

/** One device and one connection for all sequences: each begins where the one before has ended. */
const holdsAgainst = async (device: MemoryDevice, through: Through): Promise<void> => {
  const model = Buffer.alloc(SIZE_BYTES);
  await fc.assert(
    fc.asyncProperty(batches, async (sequence) => {
      for (const batch of sequence) {
        await through(model, batch);
        for (const step of batch) changed(model, step);
      }
      expect(device.content.equals(model)).toBe(true);
    }),
    { ...runs(60), endOnFailure: true },
  );
};

describe('legal requests in any sequence', () => {
  it(
    'by our client do what they would do to an array',
    async () => {
      const device = picky();
      const remote = await remoteOf(await plainServer(device));

      await holdsAgainst(device, async (model, batch) => {
        await Promise.all(batch.map((step) => throughClient(remote, model, step)));
      });
    },
    FUZZ_MS,
  );

  it(
    'by hand, with structured replies, do what they would do to an array',
    async () => {
      const device = picky();
      const raw = await structuredInside(await plainServer(device));

      await holdsAgainst(device, (model, batch) => throughRaw(raw, model, batch));
    },
    FUZZ_MS,
  );
});
