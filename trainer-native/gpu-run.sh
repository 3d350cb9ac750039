#!/usr/bin/env bash
# One visit to a machine with a CUDA GPU: trains nano longer than a CPU can, evaluates, exports.
#
#   trainer-native/gpu-run.sh TRAINER DATA OUT [--set A.B=VALUE ...]
#
# TRAINER is the release binary, DATA holds the datasets that README.md makes, OUT gets weights, logs and tables. Nothing is
# built. What follows goes to both training commands, so that the same script is tried on a CPU with a few steps.
set -euo pipefail
if [ $# -lt 3 ]; then
    sed -n '4,8s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
trainer=$1 data=$2 out=$3
shift 3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$out"
{ date -u; uname -srm; nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv 2>/dev/null || echo "no nvidia-smi"; } | tee "$out/machine.txt"
common=(--config "$here/configs/nano.toml" --out "$out/run" --set "data.train=['$data/train']" --set "data.valid=['$data/valid']")
longer=(--set autoencoder.steps=20000 --set autoencoder.whole_map_steps=5000 --set diffusion.steps=30000 --set diffusion.symmetries=8
    --set diffusion.pixel.steps=20000)
for stage in autoencoder diffusion; do
    started=$(date +%s)
    "$trainer" train "$stage" "${common[@]}" "${longer[@]}" "$@" 2>&1 | tee "$out/$stage.log"
    echo "$stage took $(($(date +%s) - started)) s" | tee -a "$out/machine.txt"
done
"$trainer" export --weights "$out/run/diffusion.safetensors" --out "$out/nano.safetensors" --evaluate "test=$data/test" 2>&1 | tee "$out/export.log"
