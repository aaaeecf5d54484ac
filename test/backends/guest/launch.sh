# On the host, in namespaces of its own: what the guest sees of the host's files, then the guest.
set -e
mount -n --bind / "$T/root"
mount -n -o remount,bind,ro "$T/root"
mkdir -p "$T/x"
mount -n --bind "$T/x" "$T/root$T/x"
for d in "${RW[@]}"; do mount -n --bind "$d" "$T/root$d"; done
"$@"
exit $? # not exec: bash stays the namespace's init, and the kernel kills the rest when it ends
