#!/usr/bin/env bash
# The comparisons with PyTorch (and DJL) in turn on this computer; the table goes to benchmarks/RESULTS.md.
#   benchmarks/peers.sh [--rounds N] [step] [bf16] [sinkhorn] [data] [embed] [djl] [scaling]      without rows: all of them
# Needs /usr/bin/python3 with torch, torchvision and a BLAS that is not the reference one (Debian: python3-torch
# python3-torchvision libopenblas0-openmp), and for the row `data` tuxpaint-stamps-default; let nothing else run meanwhile.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
if ! /usr/bin/python3 -c "import torch, torchvision" 2>/dev/null; then
  echo "peers: /usr/bin/python3 has no torch and torchvision, which the peer needs (Debian: apt-get install python3-torch python3-torchvision)" >&2
  exit 1
fi
exec /usr/bin/python3 "$here/peer/compare.py" "$@"
