import type { Cluster } from './cluster.ts';

interface Address {
  readonly addr: string;
}
interface Addresses {
  readonly addrvec: readonly Address[];
}

const portOf = ({ addr }: Address): number => Number(addr.slice(addr.lastIndexOf(':') + 1));

/** What a client of the cluster connects to, until a daemon is started again. */
export const portsOf = async ({ ceph, monPort }: Pick<Cluster, 'ceph' | 'monPort'>): Promise<number[]> => {
  const { osds } = JSON.parse(await ceph('osd', 'dump', '-f', 'json')) as { osds: { public_addrs: Addresses }[] };
  const { active_addrs: manager } = JSON.parse(await ceph('mgr', 'dump', '-f', 'json')) as { active_addrs: Addresses };
  const served = [...osds.map((osd) => osd.public_addrs), manager].flatMap(({ addrvec }) => addrvec.map(portOf));
  return [...new Set([monPort, ...served])];
};
