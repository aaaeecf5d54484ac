import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { MemoryCase } from '../cases.ts';
import { ourCommand } from '../contenders/ours.ts';
import { makeRuns, randomly, sameRuns } from '../content.ts';
import { MIB, type Run, scatteredRuns } from '../layout.ts';
import type { Outcome } from '../ours/outcome.ts';
import type { MemoryRow } from '../report/rows.ts';
import { allocatedBytes, createSized, requireSpace } from '../scratch.ts';
import type { CaseDeps } from './case-deps.ts';
import { freePort } from './free-port.ts';
import { run } from './launch.ts';
import { startServer } from './server.ts';

/** Peak memory of our two processes, from tmpfs over mutual TLS to tmpfs, read back afterwards; a file is too large to compare whole. */
interface Files {
  readonly source: string;
  readonly destinations: readonly string[];
  readonly runs: readonly Run[];
}

const copyAll = async ({ source, destinations }: Files, deps: CaseDeps): Promise<Record<'from' | 'to', Outcome>> => {
  const { scratch, ours, signal } = deps;
  const readyFile = join(scratch.memory, 'ready');
  const network = [`--port=${await freePort()}`, `--tls=${scratch.tlsDirectory}`];
  const serve = ourCommand(ours, 'serve', ...network, '--verify', `--ready=${readyFile}`, ...destinations);
  const server = await startServer({ ...serve, readyFile }, signal);
  let to = '';
  let from = '';
  try {
    from = (await run(ourCommand(ours, 'send', ...network, ...destinations.map(() => source)), signal)).stdout;
  } finally {
    to = await server.stop();
  }
  return { from: JSON.parse(from) as Outcome, to: JSON.parse(to) as Outcome };
};

const check = async ({ source, destinations, runs }: Files): Promise<void> => {
  const most = (await allocatedBytes(source)) + MIB;
  for (const destination of destinations) {
    if (!(await sameRuns(source, destination, runs))) throw new Error('what was written is not what was read');
    const allocated = await allocatedBytes(destination);
    if (allocated > most) throw new Error(`the destination takes ${allocated} bytes, the source less than ${most}`);
  }
};

export const measureMemory = async (one: MemoryCase, deps: CaseDeps): Promise<MemoryRow[]> => {
  const { scratch, signal } = deps;
  const virtualBytes = one.virtualMib * MIB;
  const files: Files = {
    source: join(scratch.memory, 'source.img'),
    destinations: Array.from({ length: one.copies }, (_, i) => join(scratch.memory, `destination.${i}.img`)),
    runs: scatteredRuns(virtualBytes, one.sizeMib * MIB),
  };
  deps.onRun(one.name);
  try {
    await requireSpace(scratch.memory, one.sizeMib * MIB * (1 + one.copies));
    await makeRuns(files.source, virtualBytes, files.runs, randomly, signal);
    for (const path of files.destinations) await createSized(path, virtualBytes);
    const { from, to } = await copyAll(files, deps);
    if (from.digests.some((digest, i) => digest === null || digest !== to.digests[i]))
      throw new Error('the digests of source and destination differ');
    await check(files);
    const row = { kind: 'memory', case: one.name, copies: one.copies, virtualBytes } as const;
    return [
      { ...row, process: 'source', peakRssMib: from.peakRssMib },
      { ...row, process: 'destination', peakRssMib: to.peakRssMib },
    ];
  } finally {
    for (const path of [files.source, ...files.destinations]) await rm(path, { force: true });
  }
};
