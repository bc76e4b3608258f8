#!/usr/bin/env bash
# Unpacks MySQL of Debian's unstable release into a folder, without installing it, and prints the command that starts
# it. Nothing outside of the folder changes. It needs apt, and the mirror that this machine uses.
set -euo pipefail
folder=$(realpath -m "${1:?Name a folder}")
mkdir -p "$folder"/{lists/partial,cache/archives/partial,debs,root}
touch "$folder/status"

mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 '/debian/\?$')
cat >"$folder/sources" <<END
deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror unstable main
END
cat >"$folder/apt.conf" <<END
Dir::Etc::sourcelist "$folder/sources";
Dir::Etc::sourceparts "/dev/null";
Dir::State::lists "$folder/lists";
Dir::State::status "$folder/status";
Dir::Cache "$folder/cache";
END
export APT_CONFIG=$folder/apt.conf
apt-get update -qq >&2

# The program and its libraries. What only its scripts need is left out.
cd "$folder/debs"
apt-cache depends --recurse --no-{recommends,suggests,conflicts,breaks,replaces,enhances} mysql-server-core |
  grep -E '^(lib|gcc-[0-9]+-base|zlib1g|mysql-server-core)' | grep -vE '^lib(perl|pam|systemd)' | sort -u |
  xargs apt-get download -qq >&2
for package in *.deb; do dpkg-deb -x "$package" "$folder/root"; done

loader=$(find "$folder/root/usr" -name 'ld-linux*' | head -n 1)
cat >"$folder/mysqld" <<END
#!/bin/sh
exec "$loader" --library-path "$(dirname "$(find "$folder/root/usr/lib" -name libc.so.6)")" "$folder/root/usr/sbin/mysqld" "\$@" \\
  --basedir="$folder/root/usr" --lc-messages-dir="$folder/root/usr/share/mysql" \\
  --plugin-dir="$folder/root/usr/lib/mysql/plugin" --secure-file-priv=NULL --user="$(id -un)"
END
chmod +x "$folder/mysqld"
"$folder/mysqld" --version >&2
echo "$folder/mysqld"
