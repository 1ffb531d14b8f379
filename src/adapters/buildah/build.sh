# Runs buildah inside of the clean environment.
# usage: build.sh NO_COMPRESSION NOTES BASE [FOLDER NAME]... -- ARGUMENT...    NOTES: `without`, where the notes of this environment's overlay are to
# go out of the layers; BASE: the folder of the base whose blobs stay as they are, or nothing; each FOLDER holds an image that gets that name; the
# arguments go to `buildah bud`
set -eu
no_compression=$1 notes=$2 base=$3
shift 3
driver=overlay storage=/job/storage/overlay
run() { buildah --storage-driver "$driver" --root "$storage" --runroot /job/run "$@" 4>&-; }
as_published() { /job/programs/node /job/programs/as-published.ts "$@" 2>&1 4>&-; }
# Not where the folder itself lies on an overlay file system.
if ! run images --quiet > /dev/null 2>&1; then driver=vfs storage=/job/storage/vfs; fi

while [ "$1" != -- ]; do
  id=$(run pull --quiet "dir:$1")
  run tag "$id" "$2"
  shift 2
done
shift
image=localhost/conforme/rebuilt
echo building >&4
run bud --tag "$image" "$@" 2>&1
echo exporting >&4
# --disable-compression is true by default, which `dir:` heeds in this form alone.
if [ "$notes" = without ]; then
  run push --quiet --disable-compression=true "$image" dir:/job/storage/plain 2>&1
  status=0
  as_published without-notes /job/storage/plain "$storage/$driver-images" || status=$?
  case "$status" in
    0) ;;
    10) image=$(run pull --quiet dir:/job/storage/plain) ;;
    *) exit 1 ;;
  esac
  rm -rf /job/storage/plain
fi
run push --quiet --disable-compression="$no_compression" "$image" dir:/job/out/image 2>&1
if [ -n "$base" ]; then as_published base-blobs /job/out/image "$base"; fi
echo exported >&4
