#!/bin/bash
# A grid in as many parts as GNU parallel has places for them: parallel.sh PARTS sweep --set width=64,128,256 --out results
# PARALLEL="--sshloginfile nodes --workdir ." spreads the parts over machines with a common file system.
set -euo pipefail
parts=$1
shift
seq "$parts" | parallel --halt soon,fail=1 ntkscope "$@" --shard "{}/$parts" --threads 1 --quiet
ntkscope "$@" --collect
