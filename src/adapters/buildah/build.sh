# Runs buildah inside of the clean environment.
# usage: build.sh NO_COMPRESSION [FOLDER NAME]... -- ARGUMENT...    each folder holds an image that gets that name; the arguments go to `buildah bud`
set -eu
no_compression=$1
shift
driver=overlay storage=/job/storage/overlay
run() { buildah --storage-driver "$driver" --root "$storage" --runroot /job/run "$@" 4>&-; }
# Not where the folder itself lies on an overlay file system.
if ! run images --quiet > /dev/null 2>&1; then driver=vfs storage=/job/storage/vfs; fi

while [ "$1" != -- ]; do
  id=$(run pull --quiet "dir:$1")
  run tag "$id" "$2"
  shift 2
done
shift
echo building >&4
run bud --tag localhost/conforme/rebuilt "$@" 2>&1
echo exporting >&4
# --disable-compression is true by default, which `dir:` heeds in this form alone.
run push --quiet --disable-compression="$no_compression" localhost/conforme/rebuilt dir:/job/out/image 2>&1
echo exported >&4
