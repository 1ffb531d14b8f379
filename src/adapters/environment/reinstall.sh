# Installs packages from nothing, inside of the clean environment: every .deb of /job/debs and nothing else, in an empty root.
# usage: reinstall.sh ARCHITECTURES    /job/debs/include holds a NAME=VERSION a line
set -eu
export DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true TMPDIR=/job/storage
repository=/job/storage/repository
mkdir "$repository"

# A Packages file is the control files with where the package is. Their order means nothing.
describe() {
  dpkg-deb --field "$1"
  printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "${1##*/}" "$(stat --format=%s "$1")" "$(basename "$1" .deb)"
}
for deb in /job/debs/*.deb; do
  ln -s "$deb" "$repository"
  describe "$deb"
done > "$repository/Packages"
echo installing >&4

# Up to Debian 12 no package ships /bin, /lib and so on as links. usrmerge makes them itself; where an image has usr-is-merged in its
# place, as debootstrap and Debian's own images do, whoever made the root did so before (debootstrap, setup_merged_usr).
links=
if grep -q '^usr-is-merged=' /job/debs/include && ! grep -q '^usrmerge=' /job/debs/include; then
  base=$(grep -A100 '^Package: base-files$' "$repository/Packages" | sed -n '/^Filename: /{s/^Filename: //p;q}')
  if ! dpkg-deb --fsys-tarfile "$repository/$base" | tar -t | grep -qx './bin'; then
    case ${1%%,*} in
      amd64) links='bin sbin lib lib32 lib64 libx32' ;;
      i386) links='bin sbin lib lib64 libx32' ;;
      mips64*) links='bin sbin lib lib32 lib64 libo32' ;;
      ppc64el) links='bin sbin lib lib64' ;;
      s390x) links='bin sbin lib lib32' ;;
      *) links='bin sbin lib' ;;
    esac
  fi
fi

# The packages were verified before: this list of them needs no signature of its own. The first hook takes away what tells of it,
# the second the id of a machine that never was. What else mmdebstrap cleans up at the end is wanted: folders in /run and /tmp, logs, caches.
mmdebstrap --mode=root --variant=essential --format=tar --architectures="$1" $(sed "s/^/--include=/" /job/debs/include) \
  --setup-hook="for one in $links; do mkdir -p \"\$1/usr/\$one\" && ln -s \"usr/\$one\" \"\$1/\$one\"; done" \
  --customize-hook='rm -f "$1/etc/apt/sources.list" "$1/var/lib/dbus/machine-id"' \
  --customize-hook='if [ -s "$1/etc/machine-id" ]; then : > "$1/etc/machine-id"; fi' \
  --skip=cleanup/run,cleanup/tmp,cleanup/reproducible \
  '' /job/out/root.tar "deb [trusted=yes] copy:$repository ./" 4>&-
echo installed >&4
