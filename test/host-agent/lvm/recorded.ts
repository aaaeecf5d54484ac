/** What LVM 2.03.16 and thin-provisioning-tools 0.9.0 have really said. */

const GROUP =
  '"vg_uuid":"ORyi1S-TQ1P-AUn9-683X-Hqev-CGQd-pf6YAZ", "vg_size":"1069547520", "vg_free":"662700032", "vg_extent_size":"4194304", "vg_attr":"wz--n-"';

export const REPORT = `  {
      "report": [
          {
              "vg": [
                  {${GROUP}, "lv_uuid":"aozsEd-TpnO-G3WM-vUbh-nc1t-qPbd-MGdyd0", "lv_name":"pool", "lv_size":"314572800", "lv_tags":"", "lv_time":"1796055196", "pool_lv":"", "origin":"", "data_percent":"3.33", "metadata_percent":"10.94", "zero":"zero", "lv_check_needed":"", "lv_health_status":"", "lv_device_open":"open", "lv_active":"active", "thin_id":"", "chunk_size":"65536", "segtype":"thin-pool"},
                  {${GROUP}, "lv_uuid":"L6LNEZ-hqrB-KrmK-48nS-SXI1-OH97-dLOPTq", "lv_name":"thin1", "lv_size":"536870912", "lv_tags":"mine,volmove", "lv_time":"1796055199", "pool_lv":"pool", "origin":"", "data_percent":"0.00", "metadata_percent":"", "zero":"zero", "lv_check_needed":"unknown", "lv_health_status":"", "lv_device_open":"", "lv_active":"active", "thin_id":"1", "chunk_size":"0", "segtype":"thin"},
                  {${GROUP}, "lv_uuid":"Y0cH6A-OyWX-c530-pGZr-nl3P-vksY-r71WEA", "lv_name":"thick1", "lv_size":"67108864", "lv_tags":"volmove", "lv_time":"1796055201", "pool_lv":"", "origin":"", "data_percent":"", "metadata_percent":"", "zero":"unknown", "lv_check_needed":"unknown", "lv_health_status":"", "lv_device_open":"", "lv_active":"active", "thin_id":"", "chunk_size":"0", "segtype":"linear"},
                  {${GROUP}, "lv_uuid":"Y0cH6A-OyWX-c530-pGZr-nl3P-vksY-r71WEA", "lv_name":"thick1", "lv_size":"67108864", "lv_tags":"volmove", "lv_time":"1796055201", "pool_lv":"", "origin":"", "data_percent":"", "metadata_percent":"", "zero":"unknown", "lv_check_needed":"unknown", "lv_health_status":"", "lv_device_open":"", "lv_active":"active", "thin_id":"", "chunk_size":"0", "segtype":"linear"},
                  {${GROUP}, "lv_uuid":"G0WFoh-C2M4-NHXA-xVwj-WFaN-TucN-DYa6mY", "lv_name":"snap1", "lv_size":"536870912", "lv_tags":"", "lv_time":"1796055202", "pool_lv":"pool", "origin":"thin1", "data_percent":"", "metadata_percent":"", "zero":"zero", "lv_check_needed":"unknown", "lv_health_status":"", "lv_device_open":"unknown", "lv_active":"", "thin_id":"2", "chunk_size":"0", "segtype":"thin"},
                  {${GROUP}, "lv_uuid":"JG5Rjm-Xn8J-XeFB-ZVpD-3QgU-Bokq-LzJpfo", "lv_name":"tsnap", "lv_size":"16777216", "lv_tags":"", "lv_time":"1796055203", "pool_lv":"", "origin":"thick1", "data_percent":"0.00", "metadata_percent":"", "zero":"unknown", "lv_check_needed":"unknown", "lv_health_status":"", "lv_device_open":"", "lv_active":"active", "thin_id":"", "chunk_size":"4096", "segtype":"linear"}
              ]
          }
      ]
  }
`;

/** Of a group without volumes, asked for volumes. */
export const REPORT_OF_NONE = `  {
      "report": [
          {
              "vg": [
              ]
          }
      ]
  }
`;

export const REPORT_OF_A_GROUP = `  {
      "report": [
          {
              "vg": [
                  {${GROUP}}
              ]
          }
      ]
  }
`;

export const THIN_DUMP = `<superblock uuid="" time="1" transaction="2" flags="0" version="2" data_block_size="128" nr_data_blocks="0">
  <device dev_id="1" mapped_blocks="171" transaction="0" creation_time="0" snap_time="1">
    <range_mapping origin_begin="112" data_begin="0" length="160" time="1"/>
    <single_mapping origin_block="272" data_block="160" time="1"/>
    <range_mapping origin_begin="1000" data_begin="161" length="10" time="1"/>
  </device>
</superblock>
`;

const ADVICE = `  WARNING: You have not turned on protection against thin pools running out of space.
  WARNING: Set activation/thin_pool_autoextend_threshold below 100 to trigger automatic extension of thin pools before they get full.
`;

/** What was said, and which error that is. */
export const SAID = [
  ['NameTaken', 5, '  Logical Volume "thin1" already exists in volume group "vg0"\n'],
  ['BackendOffline', 5, '  Pool nopool not found in Volume group vg0.\n'],
  ['BackendOffline', 5, '  Volume group "nosuchvg" not found\n  Cannot process volume group nosuchvg\n'],
  ['NoSpace', 5, '  Volume group "vg0" has insufficient free space (158 extents): 131072 required.\n'],
  [
    'BackendRefused',
    3,
    '  Names starting "snapshot" are reserved. Please choose a different LV name.\n  Run `lvcreate --help\' for more information.\n',
  ],
  ['BackendRefused', 3, '  Logical volume name "a b" is invalid.\n  Run `lvcreate --help\' for more information.\n'],
  ['ObjectMissing', 5, '  Failed to find logical volume "vg0/nosuch"\n'],
  ['ObjectBusy', 5, '  Logical volume vg0/snap1 in use.\n'],
  [
    'ObjectBusy',
    1,
    'device-mapper: message ioctl on vg0-pool-tpool  failed: Device or resource busy\nCommand failed.\n',
  ],
  ['BackendRefused', 5, `${ADVICE}  New size (150 extents) matches existing size (150 extents).\n`],
  [
    'BackendOffline',
    5,
    '  /dev/mapper/control: open failed: No such device\n  Failure to communicate with kernel device-mapper driver.\n',
  ],
] as const;
