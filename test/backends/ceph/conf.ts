/** The configuration of a cluster of one monitor, one manager and one OSD on loopback, made for speed and not for safety. */

export interface ConfWishes {
  readonly dir: string;
  readonly fsid: string;
  readonly monPort: number;
  /** What its messengers offer: `crc` alone cannot be encrypted. */
  readonly modes: 'crc secure' | 'crc';
  readonly sizeBytes: number;
  readonly watchTimeoutSeconds: number;
}

/** Each module of the manager is imported at its start, which takes a second on a busy machine. */
const UNNEEDED = [
  'alerts,balancer,cephadm,crash,dashboard,devicehealth,diskprediction_local,feedback,hello,influx,insights,iostat,k8sevents',
  'localpool,mds_autoscaler,mirroring,nfs,orchestrator,osd_perf_query,osd_support,pg_autoscaler,progress,prometheus,rbd_support',
  'restful,rook,selftest,snap_schedule,stats,status,telegraf,telemetry,test_orchestrator,volumes,zabbix',
].join(',');

/** What a client needs to know. Without a list of keyrings: who connects says which one is his. */
export const clientConf = ({ fsid, monPort }: Pick<ConfWishes, 'fsid' | 'monPort'>): string =>
  `[global]
fsid = ${fsid}
mon host = [v2:127.0.0.1:${monPort}]
`;

export const clusterConf = (wishes: ConfWishes): string => {
  const { dir, modes, sizeBytes, watchTimeoutSeconds } = wishes;
  return `${clientConf(wishes)}public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
ms bind msgr1 = false
ms cluster mode = ${modes}
ms service mode = ${modes}
ms client mode = ${modes}
ms mon cluster mode = ${modes}
ms mon service mode = ${modes}
ms mon client mode = ${modes}
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
osd pool default size = 1
osd pool default min size = 1
mon allow pool size one = true
mon allow pool delete = true
mon warn on pool no redundancy = false
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd memory target = 939524096
mon data avail warn = 1
mon data avail crit = 0
mon osd min down reporters = 1
mon max pg per osd = 1000
rbd default features = 61
run dir = ${dir}
admin socket = ${dir}/$name.asok
log file = ${dir}/$name.log
mon cluster log file = ${dir}/cluster.log
[client]
admin socket =
log file = /dev/null
[client.admin]
keyring = ${dir}/admin.keyring
[mon]
paxos propose interval = 0.05
paxos min wait = 0.01
mon tick interval = 1
mon mgr beacon grace = 30
mon mgr mkfs grace = 0
mon data = ${dir}/mon
mon initial members = a
mon pg warn min per osd = 0
auth allow insecure global id reclaim = false
[mgr]
mgr data = ${dir}/mgr
mgr initial modules =
mgr disabled modules = ${UNNEEDED}
mgr stats period = 1
mgr tick period = 1
keyring = ${dir}/mgr.keyring
[osd]
osd data = ${dir}/osd
keyring = ${dir}/osd.keyring
osd objectstore = bluestore
bluestore block path = ${dir}/osd.block
bluestore block size = ${sizeBytes}
bluestore block create = true
bluestore cache size = 134217728
bluestore fsck on mount = false
osd fast shutdown = true
osd client watch timeout = ${watchTimeoutSeconds}
`;
};
