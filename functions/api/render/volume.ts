import { formatPlacement } from '../../../domain/placement.ts';
import { type Attachment, sizeGib, type Volume, type VolumeStatus } from '../../../domain/volume/volume.ts';
import { type Caller, isAdmin, type LinkBase } from '../http/exchange.ts';
import { hrefOf } from '../http/links.ts';
import type { Microversion } from '../http/microversion.ts';
import { standardTime } from './time.ts';

/** Volumes in exactly the keys that the standard has for the caller, the answer and the microversion: its clients check. */

export interface VolumeView {
  readonly caller: Caller;
  readonly version: Microversion;
  readonly links: LinkBase;
}

const linksOf = (volume: Volume, { links }: VolumeView): object[] => [
  { rel: 'self', href: hrefOf(links, `/volumes/${volume.id}`) },
  { rel: 'bookmark', href: `${links.origin}${links.prefix.replace(/^\/v3/, '')}/volumes/${volume.id}` },
];

const attachment = (volume: Volume, { caller }: VolumeView, a: Attachment): object => ({
  id: volume.id,
  attachment_id: a.id,
  volume_id: volume.id,
  server_id: a.instanceId,
  host_name: isAdmin(caller) ? a.hostName : null,
  device: a.mountpoint,
  attached_at: standardTime(a.atMs),
});

/** Keys that came with a microversion; volmove has no groups, clusters or shared targets to tell of. */
const newerKeys = ({ caller, version }: VolumeView): object => ({
  ...(version >= 13 ? { group_id: null } : {}),
  ...(version >= 21 && isAdmin(caller) ? { provider_id: null } : {}),
  ...(version >= 48 ? { service_uuid: null, shared_targets: false } : {}),
  ...(version >= 61 && isAdmin(caller) ? { cluster_name: null } : {}),
  ...(version >= 63 ? { volume_type_id: null } : {}),
  ...(version >= 65 ? { consumes_quota: true } : {}),
});

/** The standard's clients know no others: a volume that is taken over looks to them like one that is made. */
export const shownStatus = (status: VolumeStatus): string =>
  status === 'managing' ? 'creating' : status === 'error_managing' ? 'error' : status;

/** Answer of create and update. */
export const renderVolume = (volume: Volume, view: VolumeView): object => ({
  id: volume.id,
  name: volume.name,
  description: volume.description,
  status: shownStatus(volume.status),
  size: sizeGib(volume),
  availability_zone: 'nova',
  attachments: volume.attachments.map((a) => attachment(volume, view, a)),
  metadata: volume.metadata,
  links: linksOf(volume, view),
  user_id: volume.userId,
  bootable: 'false',
  encrypted: false,
  multiattach: false,
  volume_type: null,
  snapshot_id: null,
  source_volid: null,
  consistencygroup_id: null,
  replication_status: null,
  created_at: standardTime(volume.createdAtMs),
  updated_at: standardTime(volume.updatedAtMs),
  ...(isAdmin(view.caller) ? { migration_status: volume.migrationStatus } : {}),
  ...newerKeys(view),
});

/** Answer of show and detail. */
export const renderVolumeDetail = (volume: Volume, view: VolumeView): object => ({
  ...renderVolume(volume, view),
  'os-vol-tenant-attr:tenant_id': volume.projectId,
  ...(isAdmin(view.caller)
    ? {
        'os-vol-host-attr:host': formatPlacement(volume.location ?? volume.placement),
        'os-vol-mig-status-attr:migstat': volume.migrationStatus,
        'os-vol-mig-status-attr:name_id': null,
      }
    : {}),
});

export const renderVolumeSummary = (volume: Volume, view: VolumeView): object => ({
  id: volume.id,
  name: volume.name,
  links: linksOf(volume, view),
});
