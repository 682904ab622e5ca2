#!/bin/sh
# The first process in the engine's namespaces: lays its root folder, and becomes the Docker engine.
# Usage: unshare --mount --net --pid --ipc --uts --fork sh engine.sh ROOT HOME
# ROOT is a Debian with docker.io, which is not written to. HOME is seen inside under its own name.
set -eu
lower=$1 home=$2

mount --make-rprivate /
place=$home/root
mount -t tmpfs tmpfs "$place"
mkdir "$place/upper" "$place/work" "$place/top"
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$place/upper,workdir=$place/work" "$place/top"
top=$place/top
mkdir -p "$top/.old" "$top$home"
mount -t tmpfs tmpfs "$top/run"
mount -t tmpfs tmpfs "$top/tmp"
mkdir -p "$top$home"
mount --bind "$home" "$top$home"
mount -t proc proc "$top/proc"
mount -t sysfs sysfs "$top/sys"
mount --rbind /sys/fs/cgroup "$top/sys/fs/cgroup"
mount --rbind /dev "$top/dev"
echo 'nameserver 10.0.2.3' >"$top/etc/resolv.conf" # slirp4netns answers there

cd "$top"
pivot_root . .old
cd /
umount -l /.old
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ip link set lo up
# A group of its own: tini hands the signal that ends it to all of them.
exec tini -g -- dockerd --host "unix://$home/docker.sock" --data-root "$home/data" \
    --exec-root /run/docker --pidfile /run/dockerd.pid --storage-driver overlay2 \
    --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent /telealarm-lab --ip6tables=false
