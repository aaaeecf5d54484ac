import type { BlockDevice } from '../../../../domain/block-device.ts';
import { parseExportName } from '../../../../domain/names.ts';
import type { ObjectRef } from '../../../../domain/placement.ts';
import type { Exports } from '../../../../host-agent/exports.ts';
import type { GenerationJournal } from '../../../../host-agent/journal/generations.ts';
import type { ObjectJournal } from '../../../../host-agent/journal/objects.ts';
import type { AgentHost, AgentRules } from '../world.ts';

/** Sentences of the design that the agents' real code keeps, left out one at a time: planted bugs. */

export const tombstonesUnless = (rules: AgentRules, journal: ObjectJournal): ObjectJournal =>
  rules.tombstones ? journal : { make: (_name, create) => create(), bury: (_name, remove) => remove() };

export interface ExportParts {
  readonly journal: GenerationJournal;
  readonly open: (object: ObjectRef) => Promise<BlockDevice>;
}

const withoutSeal = (exports: Exports, { journal }: ExportParts): Exports => ({
  ...exports,
  async seal(migrationId, run) {
    const record = journal.get(migrationId, run);
    return record && { generation: record.attempt, object: record.object };
  },
  async openForRepair({ migrationId, run, generation, sizeBytes }) {
    const record = journal.get(migrationId, run);
    if (record) await journal.put({ ...record, repair: { above: generation, sizeBytes } });
  },
  sealObject: async () => undefined,
});

const withoutGenerations = (exports: Exports, { journal, open }: ExportParts): Exports => ({
  ...exports,
  async resolve(name, peer) {
    const asked = parseExportName(name);
    const record = asked && journal.get(asked.migrationId, asked.run);
    if (!asked || !record || record.sealed) return exports.resolve(name, peer);
    if (asked.attempt > record.attempt) await journal.put({ ...record, attempt: asked.attempt });
    return { device: await open(record.object), readOnly: false };
  },
});

export const exportsUnder = (rules: AgentRules, exports: Exports, parts: ExportParts): Exports => {
  const sealing = rules.seal ? exports : withoutSeal(exports, parts);
  return rules.generations ? sealing : withoutGenerations(sealing, parts);
};

/** Keeps what the world has to know: which objects are being read back, or were, so that nothing there may rot unseen. */
export const watched = (exports: Exports, host: AgentHost): Exports => {
  const ask = (migrationId: string, run: number, asked: boolean): void => {
    const known = host.exports.get(`${migrationId}.${run}`);
    if (known) known.asked = asked;
  };
  return {
    ...exports,
    async admit(request) {
      const name = `${request.migrationId}.${request.run}`;
      await exports.admit(request);
      if (!host.exports.has(name)) host.exports.set(name, { objectName: request.object.objectName, asked: false });
    },
    seal(migrationId, run) {
      ask(migrationId, run, true);
      return exports.seal(migrationId, run);
    },
    async openForRepair(sealed) {
      await exports.openForRepair(sealed);
      ask(sealed.migrationId, sealed.run, false);
    },
  };
};
