#!/usr/bin/env bash
# Evidence for SwAV's claims on the built-in shapes: see org.swav4j.benchmarks.Evidence, which says what is compared.
# Writes benchmarks/EVIDENCE.md; about 20 minutes on 2 cores.
#   benchmarks/evidence.sh [EPOCHS [IMAGES [SEED]]]      default 4 6000 1
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
cd "$here/.."
epochs=${1:-4} images=${2:-6000} seed=${3:-1}
[[ -f benchmarks/target/benchmarks.jar ]] || ./mvnw -q -DskipTests -pl benchmarks -am package
rows=$(mktemp)
trap 'rm -f "$rows"' EXIT
export OMP_WAIT_POLICY=passive GOMP_SPINCOUNT=10000
for case in "codes 64 2x32,4x16" "codes 64 2x32" "codes 16 2x32,4x16" "codes 256 2x32,4x16" "softmax 64 2x32,4x16" \
  "instances 64 2x32,4x16" "instances 16 2x32,4x16" "instances 256 2x32,4x16"; do
  # shellcheck disable=SC2086 # a case is three arguments
  java -Xmx2g --add-modules=jdk.incubator.vector -cp 'benchmarks/target/benchmarks.jar:benchmarks/target/lib/*' \
    org.swav4j.benchmarks.Evidence $case "$epochs" "$images" "$seed" 2>/dev/null | tee -a "$rows"
done
{
  echo "# Evidence for SwAV's claims"
  echo
  echo "Written by \`benchmarks/evidence.sh $epochs $images $seed\` on $(date -u +%Y-%m-%d); what is compared, and with what control, is"
  echo "in the javadoc of \`org.swav4j.benchmarks.Evidence\`. The loss is a share of ln K; k-NN accuracy is over the 12 classes of"
  echo "1000 held-out images, 2000 labelled ones voting."
  echo
  echo "| target | batch | crops | epoch | loss / ln K | k-NN, % | spread | prototypes used, % | seconds |"
  echo "|---|---|---|---|---|---|---|---|---|"
  cat "$rows"
} >benchmarks/EVIDENCE.md
