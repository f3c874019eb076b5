#!/usr/bin/env bash
# Tables and plots of all experiments with logs, into benchmarks/study/README.md and plots/. Takes seconds.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
cd "$here/../.."
./mvnw -q -DskipTests -Dspotless.check.skip=true package -pl benchmarks -am
exec java -Djava.awt.headless=true -cp 'benchmarks/target/benchmarks.jar:benchmarks/target/lib/*' org.swav4j.benchmarks.study.Report "$here"
