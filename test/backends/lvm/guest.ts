/** The guest of the LVM suites, and what this machine has to have for them. */
export const LVM_GUEST = {
  programs: [
    ['lvm', 'lvm2'],
    ['dmsetup', 'dmsetup'],
    ['thin_dump', 'thin-provisioning-tools'],
  ],
  disks: ['2G', '2G'],
  memoryMib: 2048,
  timeoutSeconds: 1_200,
  udev: false,
} as const;

/** For whole migrations: two disks for LVM and one for files, all sparse. */
export const SCENARIO_GUEST = {
  ...LVM_GUEST,
  programs: [...LVM_GUEST.programs, ['mkfs.ext4', 'e2fsprogs']],
  disks: ['64G', '32G', '32G'],
  memoryMib: 3072,
  env: { EVERY_CASE: process.env.EVERY_CASE ?? '' },
} as const;
