# The outer half of the clean environment. It runs as the first process of new user, mount, pid, network, ipc, uts and cgroup
# namespaces in which root is the service itself and 1..65536 are its subordinate ids. It builds an empty root file system out of
# what the machine's programs need, and then starts the inner half in a further user namespace that maps the subordinate ids alone:
# nothing in there, not even what breaks out of it, is the service's user or can read the service's files.
#
# usage: environment.sh ROOT PROCESSES FILE_BYTES [read|write FROM TO | memory BYTES TO]... -- COMMAND [ARGUMENT]...
# file descriptors: 3 Node's channel, over which the listening socket of the proxy is handed out; 4 what happened, a line each
set -eu
root=$1 processes=$2 file_bytes=$3
shift 3

# This is still the machine's /proc: the number is the one that the service can kill.
read -r pid _ < /proc/self/stat
echo "pid $pid" >&4
echo 1000 > /proc/self/oom_score_adj

ip link set lo up
# The network namespace belongs to this half, so the inner root has no rights over it; low ports are free for a step that tries its server.
echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start
if [ -n "${LISTENER:-}" ]; then "$NODE" -e "$LISTENER"; fi
unset LISTENER NODE NODE_CHANNEL_FD NODE_CHANNEL_SERIALIZATION_MODE
exec 3>&-

mount -t tmpfs -o mode=755,size=16m,nosuid,nodev none "$root"
cd "$root"
mkdir -p usr etc/containers proc sys dev/pts dev/shm run var/lib/containers tmp var/tmp root job old
mount --rbind /usr usr
mount -o remount,bind,ro usr 2>/dev/null || :
for name in bin sbin lib lib32 lib64 libx32; do
  if [ -L "/$name" ]; then cp -a "/$name" "$name"; elif [ -d "/$name" ]; then mkdir "$name"; mount --rbind "/$name" "$name"; fi
done
mount -t proc -o nosuid,nodev,noexec proc proc
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys
# runc asks for a cgroup mount, although it cannot and need not write there.
mount -t cgroup2 -o ro,nosuid,nodev,noexec cgroup2 sys/fs/cgroup
for name in null zero full random urandom tty; do
  : > "dev/$name"
  mount --bind "/dev/$name" "dev/$name"
done
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr
ln -s pts/ptmx dev/ptmx
mount -t tmpfs -o mode=1777,size=64m,nosuid,nodev none dev/shm

printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n' > etc/passwd
printf 'root:x:0:\ntty:x:5:\nnogroup:x:65534:\n' > etc/group
# What newuidmap looks up below: in this namespace the subordinate ids begin at 1.
echo root:1:65536 | tee etc/subuid > etc/subgid
printf '127.0.0.1 localhost\n::1 localhost\n' > etc/hosts
: > etc/resolv.conf
# As on a machine with systemd, whose module knows root without any file: buildah hashes the names of owners into the history, where no
# /etc/group is within reach. https://www.freedesktop.org/software/systemd/man/latest/nss-systemd.html
printf 'passwd: files systemd\ngroup: files systemd\nhosts: files\n' > etc/nsswitch.conf
echo '{"default":[{"type":"insecureAcceptAnything"}]}' > etc/containers/policy.json
echo 'unqualified-search-registries = ["docker.io"]' > etc/containers/registries.conf
cp /etc/ld.so.cache etc/
cp -a /etc/alternatives etc/ 2>/dev/null || :
chown -R 1:1 root run var/lib/containers

while [ "$1" != -- ]; do
  access=$1 from=$2 to=$3
  shift 3
  if [ "$access" = memory ]; then
    mkdir -p ".$to"
    # Set-user-id programs and device files in there are the image's; their ids are the environment's own.
    mount -t tmpfs -o "size=$from,nr_inodes=2000000,mode=755" none ".$to"
    chown 1:1 ".$to"
    continue
  fi
  if [ -d "$from" ]; then mkdir -p ".$to"; else mkdir -p ".${to%/*}"; : > ".$to"; fi
  mount --bind "$from" ".$to"
  if [ "$access" = read ]; then mount -o remount,bind,ro ".$to" 2>/dev/null || :; fi
done
shift

pivot_root . old
cd /
umount -l /old
rmdir /old
hostname "$HOST_NAME"
unset HOST_NAME
echo built >&4

# A limit on processes holds for the whole namespace that is made under it, whatever ids its processes take.
exec prlimit --nproc="$processes" --fsize="$file_bytes" --core=0 -- \
  unshare --user --map-users=1,0,65536 --map-groups=1,0,65536 --setuid 0 --setgid 0 --mount --pid --fork --kill-child --mount-proc -- \
  sh -c '
    mount -t devpts -o newinstance,gid=5,mode=620,ptmxmode=666 devpts /dev/pts
    # Further user namespaces would give a build step mounts of its own, beyond the limits on memory and disk.
    echo 0 > /proc/sys/user/max_user_namespaces
    echo started >&4
    exec "$@"' sh "$@"
