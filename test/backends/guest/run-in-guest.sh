#!/bin/bash
# Runs a command under a real second Linux kernel (User-Mode Linux) that has device-mapper, loop, nbd, rbd and iscsi, on a machine
# whose own kernel may have none of them.
#
#   run-in-guest.sh [options] -- COMMAND [ARG...]
#     -d SIZE|FILE   a block device for the guest (repeat): /dev/ubdb, ubdc, ...; a SIZE (2G) is a fresh sparse file that is
#                    thrown away, a FILE is used as it is and kept
#     -w DIR         host folder the guest may write through to (repeat); all other writes go to a tmpfs overlay
#     -M MODULES     more kernel modules to load, comma-separated (nbd,rbd,iscsi_tcp,...)
#     -f PORTS       TCP ports (8080,16789-16799) of the host's 127.0.0.1 to be seen on the guest's 127.0.0.1 too
#     -m MIB         guest memory (1024)      -t SECONDS  limit (300; past it: exit status 124)
#     -e NAME=VALUE  environment (repeat)     -n          no network       -u   no udevd
#     -v             kernel console to stderr
#
# The guest sees the host's root file system READ-ONLY (hostfs below an overlay), starts in the caller's working directory, and
# reaches services on the host's 127.0.0.1 as 10.0.2.2 ($GUEST_HOST); nothing else is routed.
# Exit status: the command's; 124 timed out; 125 the guest did not come up or died.
#
# SAFETY: hostfs is the host's files with the host's root rights, so that a plain `rootflags=/ rw` would let the guest's early init
# write the host's /proc/sys and truncate its libraries. Hence UML runs in a mount namespace of its own, whose root for hostfs is a
# read-only, NON-recursive bind of /: no host /proc, /sys, /dev; only what -w names is writable. Never loosen this.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
uml=${UML_BIN:-/usr/bin/linux.uml}
modules=${UML_MODULES:-}
slirp=${UML_SLIRP:-/usr/bin/slirp-fullbolt}
cache=${GUEST_CACHE:-$here/../../../node_modules/.cache/volmove-guest}
mem=1024 limit=300 net=1 udev=1 verbose=0 mods= fwd=
disks=() rw=() envs=()

die() {
  echo "run-in-guest: $*" >&2
  exit 125
}

while getopts d:w:M:m:t:e:f:nuv o; do
  case $o in
    d) disks+=("$OPTARG") ;;
    w) rw+=("$(realpath "$OPTARG")") ;;
    M) mods+=" ${OPTARG//,/ }" ;;
    m) mem=$OPTARG ;;
    t) limit=$OPTARG ;;
    f) fwd+=",$OPTARG" ;;
    e) envs+=("$OPTARG") ;;
    n) net=0 ;;
    u) udev=0 ;;
    v) verbose=1 ;;
    *) exit 125 ;;
  esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || die "no command"
[ "$(id -u)" = 0 ] || die "needs root, for a mount namespace"
[ -x "$uml" ] || die "$uml is missing: install the package user-mode-linux, or set UML_BIN"
[ -n "$modules" ] || modules=$(echo /usr/lib/uml/modules/*)
[ -d "$modules/kernel" ] || die "no kernel modules in $modules: install the package user-mode-linux, or set UML_MODULES"

# the job's own folder: what init itself writes goes to x and nowhere else
T=$(mktemp -d "${TMPDIR:-/tmp}/guest.XXXXXX") || die "no temporary folder"
trap 'rm -rf --one-file-system "$T"' EXIT
mkdir "$T/root" "$T/uml" "$T/x"
# the bind of / is not recursive: what lies on another file system would not be there
for path in "$PWD" "$here" "$T" "${rw[@]}"; do
  [ "$(stat -c %d "$path")" = "$(stat -c %d /)" ] || die "$path is not on the file system of /, and the guest sees nothing else"
done

shim=$cache/umlfp-$(sha256sum "$here/umlfp.c" | cut -c1-12).so
if [ ! -f "$shim" ]; then
  mkdir -p "$cache" && gcc -O2 -fPIC -shared -o "$T/umlfp.so" "$here/umlfp.c" && mv "$T/umlfp.so" "$shim" ||
    die "umlfp.c cannot be compiled: install the packages gcc and libc6-dev"
fi

args=() letters=(b c d e f g h) i=0
for d in "${disks[@]}"; do
  if [ ! -e "$d" ]; then
    truncate -s "$d" "$T/disk$i" || die "bad disk $d"
    d=$T/disk$i
  fi
  args+=("ubd${letters[$i]}=$(realpath "$d")")
  i=$((i + 1))
done
[ $net = 1 ] && args+=("eth0=slirp,,$slirp")

# what runs in the guest: its stages with their settings in front, and the command itself
settings() {
  printf 'T=%q KM=%q MODS=%q NET=%q UDEV=%q FWD=%q HERE=%q NODE=%q RW=(' "$T" "$modules" "$mods" $net $udev "$fwd" "$here" \
    "${GUEST_NODE:-node}"
  [ ${#rw[@]} = 0 ] || printf '%q ' "${rw[@]}"
  echo ')'
}
for stage in launch init stage2; do
  {
    echo '#!/bin/bash'
    settings
    cat "$here/$stage.sh"
  } >"$T/$stage"
done
chmod +x "$T/init"
{
  printf 'export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=%q LANG=C.UTF-8 IN_GUEST=1 GUEST_HOST=10.0.2.2\n' "${HOME:-/root}"
  for e in "${envs[@]}"; do printf 'export %s=%q\n' "${e%%=*}" "${e#*=}"; done
  printf 'cd %q || exit 125\nexec' "$PWD"
  printf ' %q' "$@"
  echo
} >"$T/job"

console=$T/console
[ $verbose = 1 ] && console=/dev/stderr
shm=/dev/shm
[ -w $shm ] || shm=$T
# UML polls its channels, and a regular file cannot be polled: pipes between
mkfifo "$T/o" "$T/e" "$T/c"
cat "$T/o" & co=$!
cat "$T/e" >&2 & ce=$!
cat "$T/c" >>"$console" & cc=$!
exec 3>"$T/o" 4>"$T/e" 5>"$T/c"
SECONDS=0
# its own mount and PID namespaces: whatever happens, nothing of the guest outlives this call
unshare --mount --pid --fork --kill-child=KILL --mount-proc /bin/bash "$T/launch" env LD_PRELOAD="$shim" TMPDIR=$shm \
  "$uml" mem="${mem}M" root=/dev/root rootfstype=hostfs rootflags="$T/root" rw init="$T/init" quiet uml_dir="$T/uml" umid=g \
  con=null con0=null,fd:5 ssl=null ssl0=null,fd:3 ssl1=null,fd:4 "${args[@]}" </dev/null >&5 2>&1 & P=$!
exec 3>&- 4>&- 5>&-
sleep "$limit" & W=$!
stop() { { kill -KILL $P $W; wait $P $W; } 2>/dev/null; }
trap 'stop; exit 143' TERM
trap 'stop; exit 130' INT
trap 'stop; exit 129' HUP
{ wait -n -p first $P $W; st=$?; } 2>/dev/null
stop
wait $co $ce $cc
if [ "$first" = "$W" ]; then
  echo "run-in-guest: timed out after ${limit}s" >&2
  exit 124
fi
if [ -s "$T/x/rc" ]; then
  [ -z "${GUEST_TIMES:-}" ] || echo "run-in-guest: up after $(cat "$T/x/up") s, whole run $SECONDS s" >&2
  exit "$(cat "$T/x/rc")"
fi
echo "run-in-guest: the guest died (status $st); console:" >&2
[ -f "$T/console" ] && tail -40 "$T/console" >&2
exit 125
