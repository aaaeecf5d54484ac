import { DataPathError } from '../device/errors.ts';
import { chunkCount, FORMAT, HASH_BYTES } from './tree-hash.ts';

export const NO_DIGEST = 'none';

/** A digest in the middle of its way: the low-water mark and the frontier. It is plain JSON, and goes into checkpoints. */
export interface DigestState {
  /** `none`: of a copy that was asked for without a digest; nothing but another such copy can go on from it. */
  readonly format: typeof FORMAT | typeof NO_DIGEST;
  readonly sizeBytes: number;
  /** The low-water mark: chunks that are in the digest, from the start of the volume without a gap. */
  readonly chunks: number;
  /** Hashes of the full subtrees that make them up, largest first, in hex: one for each bit of `chunks`, 33 at the most. */
  readonly frontier: readonly string[];
}

/** A full subtree of 2^level chunks. */
export interface Subtree {
  readonly level: number;
  readonly hash: Buffer;
}

export const stateOf = (sizeBytes: number, chunks: number, frontier: readonly Subtree[]): DigestState => ({
  format: FORMAT,
  sizeBytes,
  chunks,
  frontier: frontier.map(({ hash }) => hash.toString('hex')),
});

const levelsOf = (chunks: number): number[] => {
  const bits = chunks.toString(2);
  return Array.from(bits, (bit, i) => (bit === '1' ? bits.length - 1 - i : -1)).filter((level) => level >= 0);
};

/** The frontier of a state that came from outside. CheckpointMismatch when it is not one of a volume of `sizeBytes`. */
export const frontierOf = (sizeBytes: number, state: DigestState): Subtree[] => {
  const { format, chunks, frontier } = state;
  if (format !== FORMAT || state.sizeBytes !== sizeBytes) {
    throw new DataPathError(
      'CheckpointMismatch',
      `a digest of ${state.sizeBytes} bytes in format ${format} cannot go on for ${sizeBytes} bytes in ${FORMAT}`,
    );
  }
  if (!Number.isSafeInteger(chunks) || chunks < 0 || chunks > chunkCount(sizeBytes))
    throw new DataPathError('CheckpointMismatch', `a volume of ${sizeBytes} bytes has no ${chunks} chunks`);
  const levels = levelsOf(chunks);
  const hashes = frontier.map((hex) => Buffer.from(hex, 'hex'));
  if (hashes.length !== levels.length || hashes.some((hash) => hash.length !== HASH_BYTES)) {
    throw new DataPathError('CheckpointMismatch', `${hashes.length} hashes cannot stand for ${chunks} chunks`);
  }
  return levels.map((level, i) => ({ level, hash: hashes[i] as Buffer }));
};
