#!/usr/bin/env bash
# Evidence for SwAV's claims on the built-in shapes: see org.swav4j.benchmarks.Evidence, which says what is compared.
# Writes benchmarks/EVIDENCE.md; about 40 minutes on 2 cores. As many cases at once as there are cores, one thread each.
#   benchmarks/evidence.sh [EPOCHS [IMAGES [SEEDS]]]      default 4 6000 3
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
cd "$here/.."
epochs=${1:-4} images=${2:-6000} seeds=${3:-3}
[[ -f benchmarks/target/benchmarks.jar ]] || ./mvnw -q -DskipTests -pl benchmarks -am package
rows=$(mktemp -d)
trap 'rm -rf "$rows"' EXIT
export OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive epochs images rows

run_case() { # NUMBER TARGET BATCH CROPS SEED
  set -o pipefail
  java -Xmx2g --add-modules=jdk.incubator.vector -cp 'benchmarks/target/benchmarks.jar:benchmarks/target/lib/*' \
    org.swav4j.benchmarks.Evidence "$2" "$3" "$4" "$epochs" "$images" "$5" 2>/dev/null | tee "$rows/$1"
}
export -f run_case

number=100
for case in "codes 64 2x32,4x16" "codes 64 2x32" "instances 64 2x32,4x16" "softmax 64 2x32,4x16" \
  "codes 16 2x32,4x16" "instances 16 2x32,4x16" "codes 256 2x32,4x16" "instances 256 2x32,4x16"; do
  for ((seed = 1; seed <= seeds; seed++)); do
    echo "$((number++)) $case $seed"
  done
done | xargs -P "$(nproc)" -L 1 bash -c 'run_case "$@"' case
{
  echo "# Evidence for SwAV's claims"
  echo
  echo "Written by \`benchmarks/evidence.sh $epochs $images $seeds\` on $(date -u +%Y-%m-%d); what is compared, and with what control, is"
  echo "in the javadoc of \`org.swav4j.benchmarks.Evidence\`. The loss is a share of ln K; k-NN accuracy is over the 12 classes of"
  echo "1000 held-out images, 2000 labelled ones voting."
  echo
  echo "| target | batch | crops | seed | epoch | loss / ln K | k-NN, % | spread | prototypes used, % |"
  echo "|---|---|---|---|---|---|---|---|---|"
  cat "$rows"/*
} >benchmarks/EVIDENCE.md
