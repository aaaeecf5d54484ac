import { describe, expect, it } from 'vitest';
import type { Decision } from '../../domain/decision.ts';
import { volmoveError } from '../../domain/error.ts';
import { giveBackCapacity, newPool, reserveCapacity } from '../../domain/host/capacity.ts';
import { beat, register, stopHost } from '../../domain/host/host.ts';
import { failJob, finishJob, reportProgress, takeJob, wishJob } from '../../domain/job/steps.ts';
import { ackToken, offerToken } from '../../domain/job/token.ts';
import { endMigration, refuseMigration, settleEnd, tellCleanup } from '../../domain/migration/end.ts';
import { enterPhase, wishCancel } from '../../domain/migration/run.ts';
import { claim, finalize, markMigrationStatus, raiseRun, release } from '../../domain/volume/claim.ts';
import { attach, beginDetaching, connect, detach, disconnect, reserve, unreserve } from '../../domain/volume/guest.ts';
import { requestDelete } from '../../domain/volume/lifecycle.ts';
import { resetStatus } from '../../domain/volume/reset.ts';
import { giveUpRetained } from '../../domain/volume/retained.ts';
import type { Collection } from '../../store/collection.ts';
import { dynamoRecords } from '../../store/dynamo-records.ts';
import { createStore, type Store } from '../../store/store.ts';
import { START_MS } from '../helpers/clock.ts';
import { createTable, sdkClient, startDynalite, TABLE } from '../helpers/dynalite.ts';
import {
  aHost,
  aJob,
  aMigration,
  anObject,
  aReport,
  aRetained,
  aVolume,
  DESTINATION,
  MIGRATION_ID,
  OPTIONS,
  SOURCE_OBJECT,
} from '../helpers/factories.ts';
import { startLossyProxy } from '../helpers/lossy-proxy.ts';
import { written } from '../helpers/refusal.ts';

/**
 * A write that took effect and whose answer was lost: the SDK sends it again, the condition fails, and what is asked then is
 * whether the effect is there. It is never answered as a refusal (design section 3).
 */

const nowMs = START_MS + 1_000;
const lost = volmoveError('ClaimLost', { reason: 'a test' }).toFailure();
const claimed = written(
  claim({
    migrationId: MIGRATION_ID,
    run: 1,
    destination: DESTINATION,
    options: OPTIONS,
    settled: null,
    nowMs: START_MS,
  })(aVolume()),
);
const destination = anObject(`volume-${aVolume().id}-${MIGRATION_ID}-1`, DESTINATION);
const proof = { kind: 'digest', digest: 'd', writeEpoch: 0, generation: 1 } as const;
const holder = { attempt: 1, incarnation: 'host-a-1' };
const running = aJob({ attempt: 1, stage: { state: 'running', incarnation: 'host-a-1', sinceMs: START_MS } });
const begun = aMigration({ stage: { state: 'running', phase: 'validating', phaseSinceMs: START_MS } });
const errorOutcome = { migrationId: MIGRATION_ID, run: 1, atMs: nowMs, result: 'error', reason: lost } as const;
const ended = aMigration({ stage: { state: 'succeeded', endedAtMs: START_MS } });
const connection = { id: 'c', host: 'compute', atMs: nowMs };
const attachment = {
  id: 'a',
  instanceId: 'i',
  hostName: null,
  mountpoint: '/dev/vdb',
  mode: 'rw',
  atMs: nowMs,
} as const;
const token = { hostId: 'host-a', jobId: 'j', token: 'old', enteredAtMs: 1, retryCount: 0, acked: false };
const kept = aRetained({ object: anObject('kept', DESTINATION), expiresAtMs: 0 });

interface Case {
  readonly name: string;
  readonly run: (store: Store, lose: () => void) => Promise<{ answered: unknown; stored: unknown; meant: unknown }>;
}

const on = <T, Id extends readonly string[]>(
  name: string,
  of: (store: Store) => Collection<T, Id>,
  id: Id,
  before: T,
  rule: (value: T) => Decision<T>,
): Case => ({
  name,
  async run(store, lose) {
    const items = of(store);
    await items.create(before);
    lose();
    const { value: answered } = await items.apply(id, rule);
    return { answered, stored: await items.get(...id), meant: written(rule(before)) };
  },
});

const volume = (name: string, before: Parameters<typeof aVolume>[0], rule: ReturnType<typeof reserve>): Case =>
  on(name, (store) => store.volumes, [aVolume().id], aVolume(before), rule);
const migration = (name: string, before: typeof begun, rule: ReturnType<typeof settleEnd>): Case =>
  on(name, (store) => store.migrations, [MIGRATION_ID], before, rule);
const job = (name: string, before: typeof running, rule: ReturnType<typeof takeJob>): Case =>
  on(name, (store) => store.jobs, [before.hostId, before.id], before, rule);

const CASES: Case[] = [
  volume(
    'claim',
    {},
    claim({ migrationId: MIGRATION_ID, run: 1, destination: DESTINATION, options: OPTIONS, settled: null, nowMs }),
  ),
  volume('finalize', claimed, finalize({ migrationId: MIGRATION_ID, run: 1, destination, proof, nowMs })),
  volume('release', claimed, release({ migrationId: MIGRATION_ID, run: 1, reason: lost, nowMs })),
  volume('raiseRun', claimed, raiseRun(MIGRATION_ID, 1, lost, nowMs)),
  volume('markMigrationStatus', claimed, markMigrationStatus(MIGRATION_ID, 1, 'migrating', nowMs)),
  volume('os-reserve', {}, reserve(nowMs)),
  volume('os-reserve of a claimed volume', claimed, reserve(nowMs)),
  volume('os-unreserve', { status: 'attaching', connections: [connection] }, unreserve(nowMs)),
  volume('initialize_connection', { status: 'attaching' }, connect(connection)),
  volume('terminate_connection', { status: 'attaching', connections: [connection] }, disconnect('compute', nowMs)),
  volume('os-attach', { status: 'attaching' }, attach(attachment)),
  volume('os-begin_detaching', { status: 'in-use', attachments: [attachment] }, beginDetaching(nowMs)),
  volume('os-detach', { status: 'detaching', attachments: [attachment] }, detach('a', nowMs)),
  volume('os-reset_status', claimed, resetStatus({ status: 'error', nowMs })),
  volume('delete', {}, requestDelete(nowMs)),
  volume('giving up a retained object', { retained: [kept] }, giveUpRetained('kept', nowMs)),
  migration('entering a phase', aMigration(), enterPhase({ run: 1, phase: 'validating', who: 'execution', nowMs })),
  migration('cancel', begun, wishCancel('admin', nowMs)),
  migration('refusal', aMigration(), refuseMigration(lost, 'api', nowMs)),
  migration('end', begun, endMigration({ outcome: errorOutcome, report: null, who: 'execution', nowMs })),
  migration('settling', ended, settleEnd(nowMs)),
  migration('telling of the cleanup', ended, tellCleanup('done', nowMs)),
  job('takeJob', aJob(), takeJob('host-a-1', 0, nowMs)),
  job('takeJob of an older incarnation’s job', running, takeJob('host-a-2', 1, nowMs)),
  job('finishJob', running, finishJob(holder, { ok: false, failure: lost }, nowMs)),
  job('reportProgress', running, reportProgress(holder, aReport(), null)),
  job('failJob', running, failJob(lost, nowMs)),
  job('a wish', running, wishJob({ cancel: true }, lost, nowMs)),
  on(
    'offerToken',
    (store) => store.tokens,
    ['host-a', 'j'],
    token,
    offerToken({ ...token, token: 'new', enteredAtMs: 2 }),
  ),
  on('ackToken', (store) => store.tokens, ['host-a', 'j'], token, ackToken('old')),
  on('reserving capacity', (store) => store.pools, ['p'], newPool('p', 100, 10), reserveCapacity('m', 5, 'p')),
  on(
    'giving capacity back',
    (store) => store.pools,
    ['p'],
    { ...newPool('p', 100, 10), reservedBytes: 5, leftBytes: 5, reservations: { m: 5 } },
    giveBackCapacity('m'),
  ),
  on(
    'registration',
    (store) => store.hosts,
    ['host-a'],
    aHost('host-a'),
    register(aHost('host-a', { incarnation: 'host-a-2' })),
  ),
  on(
    'heartbeat',
    (store) => store.hosts,
    ['host-a'],
    aHost('host-a'),
    beat({ incarnation: 'host-a-1', backends: [], nowMs }),
  ),
  on('graceful stop', (store) => store.hosts, ['host-a'], aHost('host-a'), stopHost('host-a-1', nowMs)),
];

const lossyStore = async () => {
  const { url } = await startDynalite();
  await createTable(url);
  const proxy = await startLossyProxy(url);
  return { proxy, store: createStore(dynamoRecords(sdkClient(proxy.url), TABLE)) };
};

describe('a write whose reply was lost', () => {
  it.each(CASES)('is answered as written: $name', async ({ run }) => {
    const { proxy, store } = await lossyStore();

    const { answered, stored, meant } = await run(store, () => {
      proxy.loseNext('PutItem');
      proxy.loseNext('UpdateItem');
    });

    expect(proxy.lost()).toBe(1);
    expect(stored).toEqual(meant);
    expect(answered).toEqual(meant);
  });

  it('is answered with what stands there when it was a create', async () => {
    const { proxy, store } = await lossyStore();
    proxy.loseNext('PutItem');

    const created = await store.jobs.create(aJob());

    expect(proxy.lost()).toBe(1);
    expect(created.value).toEqual(aJob());
  });

  it('is answered as gone when it was a removal', async () => {
    const { proxy, store } = await lossyStore();
    await store.volumes.create(aVolume());
    proxy.loseNext('DeleteItem');

    const gone = await store.volumes.remove([aVolume().id], () => true);

    expect(proxy.lost()).toBe(1);
    expect(gone).toBe(true);
  });

  it('stays written when somebody else has written since', async () => {
    const { proxy, store } = await lossyStore();
    await store.volumes.create(aVolume(claimed));
    const source = SOURCE_OBJECT;
    proxy.loseNext('PutItem', 2);

    const finalized = await store.volumes.apply(
      [aVolume().id],
      finalize({ migrationId: MIGRATION_ID, run: 1, destination, proof, nowMs }),
    );
    const released = await store.volumes.apply(
      [aVolume().id],
      release({ migrationId: MIGRATION_ID, run: 1, reason: lost, nowMs }),
    );

    expect(finalized.value.lastOutcome?.result).toBe('success');
    expect(released.value).toMatchObject({ location: destination, lastOutcome: { result: 'success', source } });
  });
});
