#!/usr/bin/env bash
# Does the memory of a training run stay flat? The resident size of `./swav train` with the small-images preset after
# step 50, after step 500, and their ratio, which should be at most 1.02.
#   benchmarks/memory.sh [BATCH [FLAGS]]    default 16, some 5 minutes on 2 cores; the preset's own 256 takes over an hour
#   benchmarks/memory.sh 256 --width 0.25   its batch, crops, queue of crops and evaluation with a narrow network: 10 minutes
# 800 images at batch 16 make 50 steps an epoch, each of which ends with a line, a checkpoint and every fifth with k-NN.
# So the first size is from before the first checkpoint, and the second from after nine of them. Each is read two seconds
# into the next epoch, when what k-NN has just freed has gone back to the system. Linux only: it reads /proc.
set -euo pipefail
batch=${1:-16}
shift || true
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
[[ -r /proc/self/status ]] || {
  echo "memory: needs Linux, there is no /proc here" >&2
  exit 1
}
folder=$(mktemp -d)
pid=
trap '[[ -z $pid ]] || kill "$pid" 2>/dev/null || true; wait; rm -rf "$folder"' EXIT

mkfifo "$folder/lines"
"$here/../swav" train --preset small-images --batch "$batch" --data "shapes:$((50 * batch))" --epochs 11 "$@" \
  --out "$folder/run" >"$folder/lines" 2>"$folder/notes" &
pid=$!
declare -A mib
while read -r line; do
  if [[ $line =~ ^epoch\ ([0-9]+)/ ]]; then
    steps=$((50 * BASH_REMATCH[1]))
    sleep 2
    [[ -r /proc/$pid/status ]] || continue # the run has ended
    mib[$steps]=$(awk '/^VmRSS/ { printf "%.1f", $2 / 1024 }' "/proc/$pid/status")
    echo "step $steps: ${mib[$steps]} MiB"
  fi
done <"$folder/lines"
wait "$pid" || {
  tail -n 3 "$folder/notes" >&2
  exit 1
}
awk -v a="${mib[50]}" -v b="${mib[500]}" \
  'BEGIN { printf "after step 50: %s MiB, after step 500: %s MiB, ratio %.3f (at most 1.02)\n", a, b, b / a; exit b / a > 1.02 }'
