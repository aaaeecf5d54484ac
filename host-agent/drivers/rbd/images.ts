import { type VolmoveError, volmoveError } from '../../../domain/error.ts';
import type { ToolEnd } from '../../tools/run-tool.ts';
import type { FoundObject } from '../contract.ts';
import type { FoundPool } from './cluster.ts';
import { type Commands, RBD } from './commands.ts';
import { ERRNO, errnoOf, heldBy, refusalBy } from './errors.ts';
import { imageSpec, poolArgs } from './names.ts';
import { CHILDREN, DU, INFO, type Info, parseMetadata, parseReport, SNAPSHOTS, STATUS, type Status } from './report.ts';

/** Questions about one image, and the tag by which volmove knows its own. */
export interface Images {
  /** Undefined when there is none of that name. */
  info(where: FoundPool, image: string, signal: AbortSignal): Promise<Info | undefined>;
  status(where: FoundPool, image: string, signal: AbortSignal): Promise<Status | undefined>;
  snapshots(where: FoundPool, image: string, signal: AbortSignal): Promise<string[]>;
  protectedSnapshots(where: FoundPool, image: string, signal: AbortSignal): Promise<string[]>;
  /** Who has an image open that may have no name any more, by its id; nobody when it is gone. */
  watchersById(where: FoundPool, id: string, signal: AbortSignal): Promise<string[]>;
  /** As `pool/image`. */
  clones(where: FoundPool, image: string, signal: AbortSignal): Promise<string[]>;
  usedBytes(where: FoundPool, image: string, signal: AbortSignal): Promise<number>;
  /** `ours` carries the tag of its own name; `unfinished` none yet, and no data, as an interrupted create leaves it. */
  makerOf(where: FoundPool, image: string, signal: AbortSignal): Promise<'ours' | 'unfinished' | 'others'>;
  tag(where: FoundPool, image: string, signal: AbortSignal): Promise<void>;
  /** Of a program that did not end well: an ObjectBusy says who it is. */
  refusal(end: ToolEnd, where: FoundPool, image: string, signal: AbortSignal): Promise<VolmoveError>;
  /** For what ends well or is refused. Its standard output. */
  act(where: FoundPool, image: string, args: readonly string[], signal: AbortSignal): Promise<string>;
}

const TAG = 'volmove';

/** A name's worth: a copy of the image that somebody made with its metadata has another name. */
const tagFor = (image: string): string => JSON.stringify({ name: image });

export const found = ({ id, size }: Info): FoundObject => ({ objectId: id, sizeBytes: size });

/** What is taken of it is known without a look at each of its objects. */
export const keepsCount = ({ features, flags }: Info): boolean =>
  features.includes('fast-diff') && !flags.includes('fast diff invalid');

export const missing = (where: FoundPool, object: string): VolmoveError =>
  volmoveError('ObjectMissing', { object, place: where.place });

/** Of `listwatchers`: a line each. */
const watchersIn = (stdout: string): string[] =>
  [...stdout.matchAll(/^watcher=(\S+)/gm)].map(([, address = '']) => address);

export const imagesOf = (commands: Commands, timeoutSeconds: number): Images => {
  const asked = ({ place }: FoundPool, object: string) => ({ place, object, timeoutSeconds });

  const act: Images['act'] = async (where, image, args, signal) => {
    const end = await commands.rbd(args, signal);
    if (end.exitCode !== 0) throw await images.refusal(end, where, image, signal);
    return end.stdout;
  };
  const ask = async (
    where: FoundPool,
    image: string,
    question: readonly string[],
    signal: AbortSignal,
  ): Promise<string | undefined> => {
    const end = await commands.rbd([...question, imageSpec(where.pool, image), '--format', 'json'], signal);
    if (end.exitCode === 0) return end.stdout;
    const refusal = refusalBy(end, asked(where, image));
    if (refusal.code === 'ObjectMissing' && errnoOf(end) === ERRNO.NOT_THERE) return undefined;
    throw refusal;
  };
  const must = async (where: FoundPool, image: string, question: readonly string[], signal: AbortSignal) => {
    const answer = await ask(where, image, question, signal);
    if (answer === undefined) throw missing(where, image);
    return answer;
  };

  const allSnapshots = async (where: FoundPool, image: string, signal: AbortSignal) =>
    parseReport(SNAPSHOTS, await must(where, image, ['snap', 'ls'], signal), RBD.program);

  const images: Images = {
    act,
    async info(where, image, signal) {
      const answer = await ask(where, image, ['info'], signal);
      return answer === undefined ? undefined : parseReport(INFO, answer, RBD.program);
    },
    async status(where, image, signal) {
      const answer = await ask(where, image, ['status'], signal);
      return answer === undefined ? undefined : parseReport(STATUS, answer, RBD.program);
    },
    snapshots: async (where, image, signal) => (await allSnapshots(where, image, signal)).map(({ name }) => name),
    async protectedSnapshots(where, image, signal) {
      const all = await allSnapshots(where, image, signal);
      return all.filter((one) => one.protected === 'true').map(({ name }) => name);
    },
    async watchersById(where, id, signal) {
      const end = await commands.rados([...poolArgs(where.pool), 'listwatchers', `rbd_header.${id}`], signal);
      if (end.exitCode === 0) return watchersIn(end.stdout);
      if (errnoOf(end) === ERRNO.NOT_THERE) return [];
      throw refusalBy(end, asked(where, id));
    },
    async refusal(end, where, image, signal) {
      const refusal = refusalBy(end, asked(where, image));
      if (refusal.code !== 'ObjectBusy') return refusal;
      const status = await images.status(where, image, signal).catch(() => undefined);
      const watchers = status?.watchers.map(({ address }) => address) ?? [];
      return watchers.length === 0
        ? refusal
        : volmoveError('ObjectBusy', { object: image, reason: heldBy(watchers) }, { cause: refusal });
    },
    async clones(where, image, signal) {
      const answer = await must(where, image, ['children', '--all'], signal);
      return parseReport(CHILDREN, answer, RBD.program).map(({ pool, pool_namespace: namespace, image: name }) =>
        [pool, ...(namespace === '' ? [] : [namespace]), name].join('/'),
      );
    },
    async usedBytes(where, image, signal) {
      const { images: rows } = parseReport(DU, await must(where, image, ['du'], signal), RBD.program);
      return rows.reduce((sum, { used_size: used }) => sum + used, 0);
    },
    async makerOf(where, image, signal) {
      const answer = await must(where, image, ['image-meta', 'list'], signal);
      const tag = parseMetadata(answer)[TAG];
      if (tag !== undefined) return tag === tagFor(image) ? 'ours' : 'others';
      const info = await images.info(where, image, signal);
      if (!info) throw missing(where, image);
      // those that we make keep count; of one that does not, counting would be a look at every object
      return keepsCount(info) && (await images.usedBytes(where, image, signal)) === 0 ? 'unfinished' : 'others';
    },
    async tag(where, image, signal) {
      await act(where, image, ['image-meta', 'set', imageSpec(where.pool, image), TAG, tagFor(image)], signal);
    },
  };
  return images;
};
