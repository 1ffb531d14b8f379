# Makes a freshly installed system what Debian's official "slim" images are: see debuerreotype-minimizing-config(1) and -slimify.
# usage: slim.sh ROOT    (a customize hook of mmdebstrap)
set -eu
root=$1
cd "$root"

cat > usr/sbin/policy-rc.d <<'EOF'
#!/bin/sh

# Services are not started while an image is built.
exit 101
EOF
chmod 0755 usr/sbin/policy-rc.d
cat > etc/dpkg/dpkg.cfg.d/docker-apt-speedup <<'EOF'
# A build that is cut short starts anew.
force-unsafe-io
EOF
cat > etc/apt/apt.conf.d/docker-clean <<'EOF'
# What apt keeps would lie in the layers for ever.
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };
APT::Update::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };

Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
EOF
echo 'Apt::AutoRemove::SuggestsImportant "false";' > etc/apt/apt.conf.d/docker-autoremove-suggests
echo 'Acquire::GzipIndexes "true";' > etc/apt/apt.conf.d/docker-gzip-indexes
echo 'Acquire::Languages "none";' > etc/apt/apt.conf.d/docker-no-languages

{
  echo '# This is the "slim" variant of the Debian base image.'
  for folder in doc groff info linda lintian/overrides locale man; do printf '\npath-exclude /usr/share/%s/*\n' "$folder"; done
  echo
  echo 'path-include /usr/share/doc/*/copyright'
  echo 'path-include /usr/share/locale/locale.alias'
} > etc/dpkg/dpkg.cfg.d/docker
chmod 0644 etc/dpkg/dpkg.cfg.d/docker* etc/apt/apt.conf.d/docker-*
for folder in doc groff info lintian/overrides locale man; do
  [ -d "usr/share/$folder" ] || continue
  find "usr/share/$folder" -mindepth 1 ! -path 'usr/share/doc/*/copyright' ! -path usr/share/locale/locale.alias ! -type d ! -type l -delete
  # Links that lead nowhere now, and folders that hold nothing any more.
  while [ -n "$(chroot . find "usr/share/$folder" -depth -mindepth 1 \( -empty -o -xtype l \) -print -exec rm -rf {} \;)" ]; do :; done
done
rm -f var/log/apt/history.log var/log/apt/term.log
