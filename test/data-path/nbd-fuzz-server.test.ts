import { connect } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BlockDevice } from '../../domain/block-device.ts';
import { connectNbd } from '../../host-agent/nbd/client.ts';
import { encodeGo } from '../../host-agent/nbd/export-info.ts';
import {
  COMMAND,
  encodeOption,
  encodeRequest,
  OPTION,
  REQUEST_BYTES,
  REQUEST_MAGIC,
} from '../../host-agent/nbd/protocol.ts';
import { FUZZ_MS, mutated, mutations, runs } from './helpers/fuzz.ts';
import { memoryDevice } from './helpers/memory-device.ts';
import { plainServer, portOf } from './helpers/raw-client.ts';
import { allocationOf } from './helpers/raw-structured.ts';

/** Noise and almost good bytes at the server, in each stage: it answers or ends, and nobody else notices. */
const SIZE_BYTES = 256 * 1024;
const NOTHING = Buffer.alloc(0);

const HELLO = Buffer.from([0, 0, 0, 3]);
const STRUCTURED = encodeOption(OPTION.STRUCTURED_REPLY, NOTHING);
const CONTEXT = encodeOption(OPTION.SET_META_CONTEXT, allocationOf('there'));
const OPTIONS = [
  encodeOption(OPTION.LIST, NOTHING),
  STRUCTURED,
  encodeOption(OPTION.LIST_META_CONTEXT, allocationOf('there', [])),
  CONTEXT,
  encodeOption(OPTION.INFO, encodeGo('there')),
  encodeOption(OPTION.STARTTLS, NOTHING),
  encodeOption(99, Buffer.from('unknown')),
  encodeOption(OPTION.GO, encodeGo('elsewhere')),
];
const INSIDE = Buffer.concat([HELLO, STRUCTURED, CONTEXT, encodeOption(OPTION.GO, encodeGo('there'))]);

interface Range {
  readonly from: number;
  readonly end: number;
}

/** A device that notes what is changed in it. */
const watched = () => {
  const device = memoryDevice(SIZE_BYTES, 0xa5);
  const changed: Range[] = [];
  const note = (from: number, lengthBytes: number): void => void changed.push({ from, end: from + lengthBytes });
  const watching: BlockDevice = {
    ...device,
    async write(offset, source) {
      note(offset, source.length);
      await device.write(offset, source);
    },
    async writeZeroes(offset, lengthBytes) {
      note(offset, lengthBytes);
      await device.writeZeroes(offset, lengthBytes);
    },
    async trim(offset, lengthBytes) {
      note(offset, lengthBytes);
    },
  };
  return { device: watching, changed };
};

/** What a well-formed request among `bytes` may change; the device knows no conditions for zeroes, so each is one write or more. */
const allowedBy = (bytes: Buffer): Range[] => {
  const changing: number[] = [COMMAND.WRITE, COMMAND.WRITE_ZEROES, COMMAND.TRIM];
  const ranges: Range[] = [];
  for (let at = 0; at + REQUEST_BYTES <= bytes.length; ) {
    if (bytes.readUInt32BE(at) !== REQUEST_MAGIC) break;
    const command = bytes.readUInt16BE(at + 6);
    const from = Number(bytes.readBigUInt64BE(at + 16));
    const lengthBytes = bytes.readUInt32BE(at + 24);
    at += REQUEST_BYTES + (command === COMMAND.WRITE ? lengthBytes : 0);
    if (command === COMMAND.DISC || at > bytes.length) break;
    if (changing.includes(command) && from + lengthBytes <= SIZE_BYTES) ranges.push({ from, end: from + lengthBytes });
  }
  return ranges;
};

const within = (one: Range, ranges: readonly Range[]): boolean =>
  ranges.some(({ from, end }) => from <= one.from && one.end <= end);

const arena = async () => {
  const { device, changed } = watched();
  const port = portOf(await plainServer(device));
  const signal = new AbortController().signal;
  const bystander = await connectNbd({ host: '127.0.0.1', port, exportName: 'there', signal });
  return {
    changed,
    /** Says it all and then goodbye without a word; resolves when the server has ended the connection too. */
    say: (bytes: Buffer): Promise<void> =>
      new Promise((resolve) => {
        const socket = connect(port, '127.0.0.1');
        socket.on('error', () => undefined);
        socket.once('close', () => resolve());
        socket.resume();
        socket.end(bytes);
      }),
    /** Somebody else, who came before, is served. */
    async isServed() {
      const target = Buffer.alloc(16);
      await bystander.read(SIZE_BYTES - 16, target);
    },
  };
};

const often = <T>(weight: number, arbitrary: fc.Arbitrary<T>) => ({ weight, arbitrary });
const atTheEnd = fc.constantFrom(0, 1, 100, 4096).map((bytes) => SIZE_BYTES - bytes);
const requests = fc
  .record({
    command: fc.oneof(often(9, fc.constantFrom(0, 1, 1, 3, 4, 5, 6, 7)), often(1, fc.nat({ max: 0xffff }))),
    flags: fc.oneof(often(8, fc.constantFrom(0, 1)), often(1, fc.nat({ max: 63 })), often(1, fc.nat({ max: 0xffff }))),
    offset: fc.oneof(
      often(5, fc.nat({ max: SIZE_BYTES })),
      often(4, atTheEnd),
      often(1, fc.constantFrom(2 ** 32, 2 ** 53 - 1)),
    ),
    lengthBytes: fc.oneof(
      often(8, fc.integer({ min: 1, max: 8192 })),
      often(1, fc.constantFrom(0, SIZE_BYTES, 2 ** 25, 2 ** 25 + 1, 2 ** 32 - 1)),
    ),
    cookie: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  })
  .map((request) => {
    const sends = request.command === COMMAND.WRITE && request.lengthBytes <= 8192;
    return Buffer.concat([encodeRequest(request), sends ? Buffer.alloc(request.lengthBytes, 0x5a) : NOTHING]);
  });

describe('a server', () => {
  it(
    'that is greeted with noise stays as it was',
    async () => {
      const { say, isServed, changed } = await arena();

      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), mutations, fc.boolean(), async (noise, changes, good) => {
          await say(good ? mutated(Buffer.concat([HELLO, ...OPTIONS]), changes) : Buffer.from(noise));
          await isServed();
        }),
        runs(80),
      );

      expect(changed).toEqual([]);
    },
    FUZZ_MS,
  );

  it(
    'that is given options in any order, almost as they should be, stays as it was',
    async () => {
      const { say, isServed, changed } = await arena();
      const options = fc.array(fc.constantFrom(...OPTIONS), { maxLength: 12 });

      await fc.assert(
        fc.asyncProperty(options, fc.option(mutations, { freq: 1 }), async (some, changes) => {
          const bytes = Buffer.concat(some);
          await say(Buffer.concat([HELLO, changes ? mutated(bytes, changes) : bytes]));
          await isServed();
        }),
        runs(120),
      );

      expect(changed).toEqual([]);
    },
    FUZZ_MS,
  );

  it(
    'that is given requests, almost as they should be, changes what a whole one among them names, and no more',
    async () => {
      const { say, isServed, changed } = await arena();
      let seen = 0;

      await fc.assert(
        fc.asyncProperty(
          fc.array(requests, { maxLength: 8 }),
          fc.option(mutations, { freq: 1 }),
          async (some, changes) => {
            changed.length = 0;
            const bytes = changes ? mutated(Buffer.concat(some), changes) : Buffer.concat(some);

            await say(Buffer.concat([INSIDE, bytes]));

            await isServed();
            seen += changed.length;
            const allowed = allowedBy(bytes);
            for (const one of changed) expect(within(one, allowed)).toBe(true);
          },
        ),
        runs(250),
      );

      // or it would prove nothing
      expect(seen).toBeGreaterThan(0);
    },
    FUZZ_MS,
  );

  it(
    'that is given noise in place of requests changes nothing',
    async () => {
      const { say, isServed, changed } = await arena();

      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 600 }), async (noise) => {
          await say(Buffer.concat([INSIDE, noise]));
          await isServed();
        }),
        runs(60),
      );

      expect(changed).toEqual([]);
    },
    FUZZ_MS,
  );
});
