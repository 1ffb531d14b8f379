# Runs a buildkitd of its own, with an empty cache, inside of the clean environment, and one build on it.
# usage: build.sh RUNTIME [FROM:TO:ro]... -- ARGUMENT...    steps see each file FROM as TO, below /dev; the arguments go to `buildctl build`
set -eu
runtime=$1
shift
mounts=
while [ "$1" != -- ]; do
  rest=${1#*:}
  mounts="$mounts,{\"destination\":\"${rest%:ro}\",\"type\":\"bind\",\"source\":\"${1%%:*}\",\"options\":[\"bind\",\"ro\"]}"
  shift
done
shift
if [ -n "$mounts" ]; then
  # buildctl can mount nothing into a step. This stands before the runtime and adds to the step's configuration (config.json of the OCI runtime
  # specification), behind the /dev that the mount lies on. A quotation mark inside of a text has a backslash before it there.
  cat > /job/run/runtime << end
#!/bin/sh
bundle= last=
for word; do
  if [ "\$last" = --bundle ]; then bundle=\$word; fi
  last=\$word
done
if [ -n "\$bundle" ]; then sed -i 's#{"destination":"/dev",[^}]*}#&$mounts#' "\$bundle/config.json"; fi
exec $runtime "\$@"
end
  chmod 755 /job/run/runtime
  runtime=/job/run/runtime
fi
socket=unix:///job/run/buildkitd.sock
umask 077
# No image is ever pulled: bases are handed over, and the frontend is the built-in one.
echo '{"version":1,"rules":[{"action":"DENY","selector":{"identifier":"docker-image://*"}}]}' > /job/run/policy.json
# Names are the proxy's to resolve. Without a server here BuildKit would name a public one, and programs would wait for its answer.
printf '[dns]\nnameservers = ["127.0.0.1"]\n' > /job/run/buildkitd.toml
umask 022

# Host is this environment's network: nothing but the proxy.
buildkitd --config /job/run/buildkitd.toml --addr "$socket" --root /job/storage/buildkit --rootless --cdi-disabled \
  --containerd-worker=false --oci-worker-net=host --oci-worker-binary="$runtime" --oci-worker-gc=false \
  --allow-insecure-entitlement=network.host > /job/run/buildkitd.log 2>&1 4>&- &
daemon=$!
until [ -S /job/run/buildkitd.sock ] && buildctl --addr "$socket" debug workers > /dev/null 2>&1 4>&-; do
  if ! kill -0 "$daemon" 2>/dev/null; then
    cat /job/run/buildkitd.log
    exit 1
  fi
  sleep 0.05
done
echo building >&4
buildctl --addr "$socket" build "$@" 2>&1 4>&-
echo exported >&4
