#!/bin/sh
# run.sh <record_make_test> <build folder>: installs the readers there and lets them read a test that was just made.
set -eu
make_test=$1
work=$2
here=$(dirname "$0")
rm -rf "$work/state"
mkdir -p "$work"
cp "$here/package.json" "$here/package-lock.json" "$here/read.mjs" "$work"
cd "$work"
# Not `npm ci`: it insists on the builds for other platforms, which not every registry has.
npm install --no-audit --no-fund --loglevel=error
"$make_test" "$work/state" 1 >paths.txt 2>/dev/null
folder=$(sed -n 1p paths.txt)
csv=$(sed -n 2p paths.txt)
node read.mjs "$folder/rows.arrows" "$csv"
