# Two images out of one file: `service` plays api, evidence, conclude and deliver; `rebuild` has the builder in addition.
# Two static programs out of it are wanted; the steps are run by the runc below.
FROM moby/buildkit:v0.34.2-rootless AS buildkit

FROM node:24-bookworm-slim AS modules
WORKDIR /opt/conforme
COPY package.json package-lock.json .npmrc ./
# The Node that runs the service is one of the modules, at the version of the lock file.
RUN npm ci --omit=dev --ignore-scripts

FROM debian:bookworm-slim AS service
# git and xz read sources and packages; debian-archive-keyring holds the keys that the archive's signatures are checked with.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates debian-archive-keyring git redis-server util-linux xz-utils zstd \
 && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 1000 --create-home --shell /usr/sbin/nologin conforme \
 && install --directory --owner=conforme --mode=0700 \
      /var/lib/conforme /var/lib/conforme/blobs /var/lib/conforme/key /var/lib/conforme/debian /var/lib/conforme/jobs
WORKDIR /opt/conforme
ENV PATH=/opt/conforme/node_modules/.bin:$PATH NODE_ENV=production CONFORME_DATA_DIR=/var/lib/conforme
COPY --from=modules /opt/conforme/node_modules node_modules
COPY package.json LICENSE ./
COPY src src
COPY api api
COPY workers workers
COPY scripts scripts
USER conforme
CMD ["node", "api/main.ts"]

FROM service AS rebuild
USER root
# libnss-systemd: see src/adapters/environment/environment.sh.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends \
      binutils buildah diffoscope-minimal iproute2 libcap2-bin libnss-systemd mmdebstrap runc uidmap unzip \
 && rm -rf /var/lib/apt/lists/*
# The two programs that map subordinate ids, with the one capability that each needs in place of set-user-id root: as such they
# would need CAP_SYS_ADMIN in a container, see https://github.com/containers/podman/blob/main/contrib/podmanimage/stable/Containerfile
RUN chmod 0755 /usr/bin/newuidmap /usr/bin/newgidmap \
 && setcap cap_setuid=ep /usr/bin/newuidmap && setcap cap_setgid=ep /usr/bin/newgidmap \
 && echo conforme:100000:65536 | tee /etc/subuid > /etc/subgid
COPY --from=buildkit /usr/bin/buildkitd /usr/bin/buildctl /usr/local/bin/
USER conforme
CMD ["node", "workers/main.ts"]
