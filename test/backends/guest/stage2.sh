# In the guest's own root: devices, network, modules and udev, then the command.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mkdir -p /dev/pts /dev/shm
ln -sfn /proc/self/fd /dev/fd
for i in 0:stdin 1:stdout 2:stderr; do ln -sfn /proc/self/fd/${i%:*} /dev/${i#*:}; done
mount -n -t devpts -o ptmxmode=666 devpts /dev/pts
ln -sfn pts/ptmx /dev/ptmx
mount -n -t tmpfs tmpfs /dev/shm
mount -n -t tmpfs tmpfs /run
mkdir -p /run/lock
ip link set lo up
[ $NET = 1 ] && {
  ip addr add 10.0.2.15/24 dev eth0
  ip link set eth0 up
}
echo "10.0.2.2 testhost" >>/etc/hosts
echo guest >/proc/sys/kernel/hostname
echo "127.0.0.1 guest" >>/etc/hosts
modprobe -a dm-thin-pool dm-snapshot loop $MODS || echo "run-in-guest: modprobe failed"
mount -n -t configfs configfs /sys/kernel/config 2>/dev/null
if [ $UDEV = 1 ] && [ -x /lib/systemd/systemd-udevd ]; then
  # in a chroot udevadm does nothing, unless it is told that this is no chroot
  export SYSTEMD_IGNORE_CHROOT=1 SYSTEMD_LOG_LEVEL=err
  /lib/systemd/systemd-udevd --daemon
  udevadm trigger --subsystem-match=block --action=add
  udevadm settle -t 10
  unset SYSTEMD_LOG_LEVEL
elif [ -d /etc/lvm ]; then
  cat >/etc/lvm/lvmlocal.conf <<'L'
devices { obtain_device_list_from_udev=0
 external_device_info_source="none"
 multipath_component_detection=0
 md_component_detection=0 }
activation { udev_sync=0
 udev_rules=0
 monitoring=0 }
backup { backup=0
 archive=0 }
global { thin_check_executable="" }
L
fi
if [ -n "$FWD" ]; then
  "$NODE" "$HERE/forward.cjs" "$FWD" /run/fwd.ok &
  for _ in $(seq 200); do
    [ -e /run/fwd.ok ] && break
    sleep 0.05
  done
fi
mkfifo /run/o /run/e
for t in 0 1; do stty -F /dev/ttyS$t raw -echo -opost; done
cat /run/o >/dev/ttyS0 & O=$!
cat /run/e >/dev/ttyS1 & E=$!
read up _ </proc/uptime
echo "$up" >"$T/x/up"
setsid /bin/bash "$T/job" </dev/null >/run/o 2>/run/e
rc=$?
# a child that is left in the background may hold them
for _ in $(seq 20); do
  kill -0 $O 2>/dev/null || kill -0 $E 2>/dev/null || break
  sleep 0.05
done
# tcsetattr waits until the line is drained
stty -F /dev/ttyS0 raw
stty -F /dev/ttyS1 raw
echo $rc >"$T/x/rc"
sync
echo o >/proc/sysrq-trigger
sleep 30
