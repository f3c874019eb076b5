#!/usr/bin/env bash
# Runs experiments: each arm and seed as a process `swav train` of one thread, and what is measured of it afterwards as processes
# `swav evaluate`, as many at once as asked; an arm of the peer as a process of /usr/bin/python3, with PyTorch. What is done is
# skipped, what was interrupted goes on: it can be killed and started again at any time.
#   benchmarks/study/run.sh WORK [--jobs N] EXPERIMENT...      such as: run.sh /big/disk/study --jobs 2 4-shapes 1-shapes
# WORK holds the folders of the runs and the program, copied there when it is first used, so that all runs are made by one
# version whatever happens to the sources meanwhile. Logs go to benchmarks/study/logs. Data named $IMAGENETTE, $CIFAR10 or
# $FASHION in an experiment are what the environment variable says, as --data takes it: IMAGENETTE=folder:DIR.
# $IMAGENETTE_UNEVEN and $IMAGENETTE_GREY are made by sets.py; $STAMPS is Debian's tuxpaint-stamps-default.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$(cd "$here/../.." && pwd -P)
usage() {
  echo "study: expected WORK [--jobs N] EXPERIMENT..., experiments being: $(cd "$here/experiments" && ls ./*.json | sed 's/^..//; s/\.json$//' | paste -sd' ')" >&2
  exit 2
}
[[ $# -ge 2 ]] || usage
work=$1 jobs=$(nproc)
shift
if [[ $1 == --jobs ]]; then
  [[ ${2:-} =~ ^[1-9][0-9]*$ && $# -ge 3 ]] || usage
  jobs=$2
  shift 2
fi
files=()
for experiment in "$@"; do
  [[ -f $here/experiments/$experiment.json ]] || usage
  files+=("$here/experiments/$experiment.json")
done

mkdir -p "$work"
program=$(cd "$work" && pwd -P)/program
if [[ ! -f $program/version ]]; then
  (cd "$root" && ./mvnw -q -DskipTests -Dspotless.check.skip=true package -pl benchmarks -am)
  rm -rf "$program"
  mkdir -p "$program/swav-train/target"
  cp "$root/swav" "$root/benchmarks/target/benchmarks.jar" "$root/benchmarks/peer/torch_swav.py" "$program"
  cp -r "$root/swav-train/target/swav.jar" "$root/swav-train/target/lib" "$program/swav-train/target"
  git -C "$root" describe --always --dirty >"$program/version"
fi
exec java -Xmx256m -cp "$program/benchmarks.jar:$program/swav-train/target/swav.jar:$program/swav-train/target/lib/*" \
  org.swav4j.benchmarks.study.RunExperiments "$program" "$(<"$program/version")" "$work" "$here/logs" "$jobs" "${files[@]}"
