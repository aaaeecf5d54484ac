import { volmoveError } from '../../../domain/error.ts';

/** What a path means: one of the discovery documents, or a resource, with or without a project in front of it. */

export type Target =
  | { readonly kind: 'root' }
  | { readonly kind: 'version' }
  | { readonly kind: 'resource'; readonly projectId: string | undefined; readonly segments: readonly string[] }
  | { readonly kind: 'nothing' };

/** A first segment after /v3 that is one of these is no project id: clients leave the project out when they have no catalog. */
const COLLECTIONS = new Set([
  'attachments',
  'backups',
  'capabilities',
  'cleanup',
  'clusters',
  'consistencygroups',
  'default-types',
  'extensions',
  'group_snapshots',
  'group_types',
  'groups',
  'hosts',
  'limits',
  'manageable_snapshots',
  'manageable_volumes',
  'messages',
  'migrations',
  'openapi.json',
  'os-availability-zone',
  'os-hosts',
  'os-quota-class-sets',
  'os-quota-sets',
  'os-services',
  'os-volume-manage',
  'os-volume-transfer',
  'qos-specs',
  'resource_filters',
  'scheduler-stats',
  'snapshots',
  'types',
  'volume-transfers',
  'volumes',
  'workers',
]);

const decoded = (segment: string): string => {
  try {
    return decodeURIComponent(segment);
  } catch (cause) {
    throw volmoveError('MalformedUrl', {}, { cause });
  }
};

/** Throws MalformedUrl when an escape in the path is broken. */
export const targetOf = (rawPath: string): Target => {
  const segments = rawPath.split('/').slice(1).map(decoded);
  if (segments.at(-1) === '') segments.pop();
  const [version, first, ...rest] = segments;
  if (version === undefined) return { kind: 'root' };
  if (version !== 'v3') return { kind: 'nothing' };
  if (first === undefined) return { kind: 'version' };
  return COLLECTIONS.has(first)
    ? { kind: 'resource', projectId: undefined, segments: [first, ...rest] }
    : { kind: 'resource', projectId: first, segments: rest };
};
