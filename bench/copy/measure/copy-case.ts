import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CopyCase } from '../cases.ts';
import type { Contender, Place } from '../contenders/contender.ts';
import { makeSource, undoChanges } from '../content.ts';
import { MIB } from '../layout.ts';
import type { LeftOutRow, Row } from '../report/rows.ts';
import { allocatedBytes, createSized, hasReflinks, requireSpace } from '../scratch.ts';
import { dropCaches } from './caches.ts';
import type { CaseDeps } from './case-deps.ts';
import { copyRows, type Measured } from './copy-rows.ts';
import { freePort } from './free-port.ts';
import { run } from './launch.ts';
import { runOnce } from './run-once.ts';
import { turnOrder } from './turn-order.ts';

/** One case: everyone in turn, round after round, from the same state of the disk and of the caches. */
type Files = Pick<Place, 'source' | 'destination' | 'sizeBytes' | 'reflinks'>;

const makeFiles = async (one: CopyCase, { source, destination, sizeBytes }: Files, signal: AbortSignal) => {
  await makeSource(source, one.content, sizeBytes, signal);
  if (one.content === 'changed') await run({ argv: ['cp', source, destination] }, signal);
};

/** The destination as it was before anybody ran, nothing left to be written, and on a disk nothing in the cache. */
const setBack = async (one: CopyCase, contender: Contender, files: Files, signal: AbortSignal): Promise<void> => {
  const { source, destination, sizeBytes } = files;
  if (one.content === 'changed') await undoChanges(source, destination, sizeBytes);
  else {
    await rm(destination, { force: true });
    if (contender.needsDestination) await createSized(destination, sizeBytes);
  }
  if (one.medium !== 'disk') return;
  await run({ argv: ['sync', '--file-system', source] }, signal);
  await dropCaches([source, destination], signal);
};

/** One run; the first one's result is also looked at. */
const turn = async (
  one: CopyCase,
  contender: Contender,
  measured: Measured,
  files: Files,
  { scratch, ours, signal }: CaseDeps,
): Promise<void> => {
  const { tlsDirectory, memory } = scratch;
  await setBack(one, contender, files, signal);
  const port = contender.server ? await freePort() : 0;
  const place: Place = { ...files, port, readyFile: join(memory, 'ready'), tlsDirectory, ours };
  measured.runs.push(await runOnce(contender, place, signal));
  if (measured.runs.length > 1) return;
  measured.allocatedBytes = await allocatedBytes(files.destination);
  await run({ argv: ['cmp', files.source, files.destination] }, signal);
};

/** Who fails once is out of the case: a median of the other runs would say something else. */
export const measureCopies = async (
  one: CopyCase,
  contenders: readonly Contender[],
  deps: CaseDeps,
): Promise<Row[]> => {
  const { scratch, rounds, signal } = deps;
  const directory = one.medium === 'disk' ? scratch.disk : scratch.memory;
  const files: Files = {
    source: join(directory, 'source.img'),
    destination: join(directory, 'destination.img'),
    sizeBytes: one.sizeMib * MIB,
    reflinks: await hasReflinks(directory),
  };
  const running = new Map<Contender, Measured>(contenders.map((each) => [each, { runs: [], allocatedBytes: 0 }]));
  const failed: LeftOutRow[] = [];
  try {
    await requireSpace(directory, files.sizeBytes * 2);
    await makeFiles(one, files, signal);
    for (let round = 1; round <= rounds; round++) {
      for (const [contender, measured] of turnOrder([...running], round)) {
        deps.onRun(`${one.name} ${round}/${rounds}: ${contender.name}`);
        try {
          await turn(one, contender, measured, files, deps);
        } catch (error) {
          signal.throwIfAborted();
          running.delete(contender);
          const reason = (error as Error).message;
          failed.push({ kind: 'left out', case: one.name, contender: contender.name, reason, failed: true });
        }
      }
    }
  } finally {
    await rm(files.source, { force: true });
    await rm(files.destination, { force: true });
  }
  return [...copyRows(one, files.sizeBytes, running), ...failed];
};
