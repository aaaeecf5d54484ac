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
