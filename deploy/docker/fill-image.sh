#!/bin/sh
# Puts what the image holds into FOLDER: the program, the C libraries that it and its libSQL load from
# the system that built it, names for its user, and a place for temporary files.
#   sh deploy/docker/fill-image.sh PROGRAM FOLDER
set -eu
program=$1
root=$2

mkdir -p "$root/usr/local/bin" "$root/etc" "$root/tmp"
chmod 1777 "$root/tmp"
cp "$program" "$root/usr/local/bin/millrace"
echo 'millrace:x:65532:65532::/data:/none' >"$root/etc/passwd"
echo 'millrace:x:65532:' >"$root/etc/group"

# `ldd` prints `name => path (address)`, and the loader as `path (address)`.
for library in $(ldd "$program" node_modules/@libsql/linux-*-gnu/index.node | grep -o ' */[^ :]* (' | tr -d ' ('); do
  mkdir -p "$root${library%/*}"
  cp -L "$library" "$root$library"
done
