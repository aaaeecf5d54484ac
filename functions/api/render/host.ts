import { type BackendReport, type Host, isUp, type PoolReport, poolsOf } from '../../../domain/host/host.ts';
import { formatPlacement } from '../../../domain/placement.ts';
import { GIB } from '../../../domain/volume/volume.ts';
import type { Microversion } from '../http/microversion.ts';
import { isoTime, standardTime } from './time.ts';

/** Storage servers in three views: ours, and the standard's services and pools. */

const stateOf = (host: Host, nowMs: number): 'up' | 'down' => (isUp(host, nowMs) ? 'up' : 'down');

const renderPool = (host: Host, backend: BackendReport, pool: PoolReport): object => ({
  name: pool.name,
  place: formatPlacement({ hostId: host.id, backend: backend.name, pool: pool.name }),
  state: pool.state,
  reason: pool.reason,
  total_bytes: pool.totalBytes,
  free_bytes: pool.freeBytes,
});

export const renderHost = (host: Host, nowMs: number): object => ({
  id: host.id,
  state: stateOf(host, nowMs),
  version: host.version,
  address: host.address,
  heartbeat_at: isoTime(host.heartbeatAtMs),
  concurrency: host.concurrency,
  backends: host.backends.map((backend) => ({
    name: backend.name,
    driver: backend.driver,
    concurrency: backend.concurrency ?? null,
    pools: backend.pools.map((pool) => renderPool(host, backend, pool)),
  })),
});

/** Microversions that added a service's cluster and its backend's state. */
const CLUSTER_FROM = 7;
const BACKEND_STATE_FROM = 49;

/** The standard has one volume service for each backend. */
export const renderServices = (host: Host, nowMs: number, version: Microversion): object[] =>
  host.backends.map((backend) => ({
    binary: 'cinder-volume',
    host: `${host.id}@${backend.name}`,
    zone: 'nova',
    status: 'enabled',
    state: stateOf(host, nowMs),
    updated_at: standardTime(host.heartbeatAtMs),
    disabled_reason: null,
    ...(version >= CLUSTER_FROM ? { cluster: null } : {}),
    ...(version >= BACKEND_STATE_FROM
      ? { backend_state: backend.pools.some((pool) => pool.state === 'up') ? 'up' : 'down' }
      : {}),
  }));

const gib = (bytes: number): number => Math.round((bytes / GIB) * 100) / 100;

const capabilities = (host: Host, backend: BackendReport, pool: PoolReport, nowMs: number): object => ({
  total_capacity_gb: gib(pool.totalBytes),
  free_capacity_gb: gib(pool.freeBytes),
  allocated_capacity_gb: gib(pool.provisionedBytes),
  provisioned_capacity_gb: gib(pool.provisionedBytes),
  reserved_percentage: 0,
  ...(pool.maxOverSubscriptionRatio === undefined
    ? {}
    : { max_over_subscription_ratio: pool.maxOverSubscriptionRatio.toFixed(1) }),
  thin_provisioning_support: pool.thin,
  thick_provisioning_support: !pool.thin,
  multiattach: false,
  QoS_support: false,
  volume_backend_name: backend.name,
  storage_protocol: 'local',
  vendor_name: 'volmove',
  driver: backend.driver,
  driver_version: host.version,
  backend_state: isUp(host, nowMs) && pool.state === 'up' ? 'up' : 'down',
  migration_progress_report: backend.migrationProgressReport,
  ...(pool.systemId === undefined ? {} : { storage_system: pool.systemId }),
  ...(backend.attachDuringMove === undefined ? {} : { attach_during_move: backend.attachDuringMove }),
  timestamp: standardTime(host.heartbeatAtMs),
});

export const renderPools = (host: Host, nowMs: number, detail: boolean): object[] =>
  poolsOf(host).map(({ place, backend, pool }) => ({
    name: formatPlacement(place),
    ...(detail ? { capabilities: capabilities(host, backend, pool, nowMs) } : {}),
  }));
