# The guest's first process: an overlay over the host's files, whose upper half lives in memory.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
grep -q 'User Mode Linux' /proc/cpuinfo || exit 1 # never on the host
mount -t sysfs sysfs /sys
bad() {
  echo "run-in-guest: $*"
  echo o >/proc/sysrq-trigger
  sleep 30
}
insmod $KM/kernel/fs/overlayfs/overlay.ko || bad overlay module
mount -n -t tmpfs -o size=90% tmpfs /mnt && mkdir /mnt/up /mnt/work /mnt/root || bad tmpfs
R=/mnt/root
mount -n -t overlay overlay -o lowerdir=/,upperdir=/mnt/up,workdir=/mnt/work $R || bad overlay
mkdir -p $R/lib/modules/${KM##*/} "$R$T/x"
mount -n --bind $KM $R/lib/modules/${KM##*/} || bad modules
mount -n --bind "$T/x" "$R$T/x" || bad job folder
for d in "${RW[@]}"; do
  mkdir -p "$R$d"
  mount -n --bind "$d" "$R$d" || bad "bind $d"
done
for m in proc sys dev; do mount -n --move /$m $R/$m; done
exec /usr/sbin/chroot $R /bin/bash "$T/stage2" # from here on /proc, /sys and /dev are the guest's
