/** Where a backend object is: `host@backend#pool`, the way administrators and the Block Storage API write it. */

export interface Placement {
  readonly hostId: string;
  readonly backend: string;
  readonly pool: string;
}

/** A destination as it may be asked for: the pool may be left out, then the one with the most free space is taken. */
export interface PlacementRequest {
  readonly hostId: string;
  readonly backend: string;
  readonly pool?: string;
}

/** A slug: it is part of queue names, export names and IAM policies (design section 3). */
export const HOST_ID = /^[A-Za-z0-9_-]{1,60}$/;
const REQUEST = /^([A-Za-z0-9_-]{1,60})@([A-Za-z0-9_.-]{1,60})(?:#([^\s#@/\\]{1,120}))?$/;

/** Undefined when the text is not of the form `host@backend[#pool]`. */
export const parsePlacement = (text: string): PlacementRequest | undefined => {
  const match = REQUEST.exec(text);
  if (!match?.[1] || !match[2]) return undefined;
  return { hostId: match[1], backend: match[2], ...(match[3] === undefined ? {} : { pool: match[3] }) };
};

export const formatPlacement = (place: PlacementRequest): string =>
  `${place.hostId}@${place.backend}${place.pool === undefined ? '' : `#${place.pool}`}`;

export const samePlacement = (a: Placement, b: Placement): boolean =>
  a.hostId === b.hostId && a.backend === b.backend && a.pool === b.pool;

/** A backend object: made for one run (or one create), never renamed, its identity is the backend's own `objectId`. */
export interface ObjectRef extends Placement {
  readonly objectName: string;
  readonly objectId: string;
  readonly sizeBytes: number;
  /** The volume that has taken it over: others have made and named it, so its name alone says nothing of whose it is. */
  readonly adoptedBy?: string;
}

/** How an object that others have made is asked for: by its name, or by the backend's own id. */
export type ObjectReference = { readonly objectName: string } | { readonly objectId: string };
