#!/usr/bin/env bash
# One visit to a machine with a CUDA GPU: makes maps whose roofs and cars vary, trains two networks that are not told, evaluates them.
#
#   trainer-native/gpu-run.sh TRAINER CITIES OUT [SECONDS]
#
# TRAINER is the release binary, CITIES the folder of footprints that `cargo xtask cities` fills. OUT gets weights, logs and tables.
# Nothing is built. Of SECONDS (600), making the maps takes its part, the quantiles a third of the rest, the first stage a third of what is
# then left. PROCEDURAL and BLOCKS (800 and 400: 2000 scenes, 4000 maps), MAPS (24 of each city to test on), FIRST (steps that measure the
# rate, 150) and WHOLE (the quantiles' steps on whole maps, 50) can be lowered for a try on a CPU, as can the batches: FIRST_STAGE_BATCH
# (32) and BATCH (32). PRESET, a file's path from this folder, is configs/reliability/preset.toml unless given; edge-preset.toml beside
# it is for browsers with a GPU.
set -euo pipefail
if [ $# -lt 3 ]; then
    sed -n '4,13s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
trainer=$(realpath "$1") cities=$(realpath "$2") limit=${4:-600}
mkdir -p "$3"
out=$(realpath "$3") data=$(realpath "$3")/data
cd "$(dirname "${BASH_SOURCE[0]}")"
preset=${PRESET:-configs/reliability/preset.toml}
# Before anything is made.
"$trainer" presets --preset "$preset" >/dev/null
say() { echo "[$SECONDS s] $*" | tee -a "$out/log.txt"; }
{ date -u; uname -srm; nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv 2>/dev/null || echo "no nvidia-smi"; } | tee "$out/machine.txt"

# Maps with roofs and cars, of which the folder then keeps no trace.
maps() {
    local name=$1
    shift
    "$trainer" dataset synth --out "$data/$name" --roofs 4,40 --cars 40 --method dpm "$@" >>"$out/log.txt" 2>&1
    mv "$data/$name/gain/carsDPM" "$data/$name/gain/DPM"
    rm -rf "$data/$name/polygon" "$data/$name/png/heights" "$data/$name/png/cars" "$data/$name/png/antennas"
}
pack() {
    "$trainer" dataset pack --dataset "$data/$1" --method DPM --out "$data/$1-packed" --channels line-of-sight,log-distance-gain,\
antenna-height,wall-distance,dominant-path-gain-at-height,angle-to-transmitter-sin,angle-to-transmitter-cos >>"$out/log.txt" 2>&1
}
known=("$cities/munich.geojson" "$cities/helsinki.geojson" "$cities/paris.geojson")
unseen=("$cities/florence.geojson" "$cities/san-francisco.geojson")
maps train --procedural "${PROCEDURAL:-800}" --city "${known[@]}" --blocks "${BLOCKS:-400}" --transmitters 2 --antennas 1.5,40 --seed 11
maps valid --antennas 1.5,40 --procedural 12 --city "${known[@]}" --blocks 4 --transmitters 1 --seed 900011
maps test --city "${unseen[@]}" --blocks "${MAPS:-24}" --transmitters 1 --seed 77
pack train
pack valid
say "data is made"

common=(--config configs/reliability/train.toml --set preset="$preset"
    --set "data.train=['$data/train-packed']" --set "data.valid=['$data/valid-packed']"
    --set data.threads="$(nproc)" --set autoencoder.batch="${FIRST_STAGE_BATCH:-32}" --set diffusion.batch="${BATCH:-32}"
    --set validate_every=1000000)
first=${FIRST:-150}
# A stage in so many seconds: a run of a few steps tells the rate, another takes what fits. The first's weights are not used.
stage() {
    local name=$1 seconds=$2 begun=$SECONDS
    "$trainer" train "$name" "${common[@]}" --out "$out/run-$name" --set "$name.steps=$first" --set autoencoder.whole_map_steps=0 \
        "${@:3}" >"$out/$name-rate.log" 2>&1
    local rate left steps
    rate=$(grep -o '[0-9.]* steps/s' "$out/$name-rate.log" | tail -1 | cut -d' ' -f1)
    left=$((seconds - (SECONDS - begun)))
    steps=$(awk -v rate="$rate" -v left="$left" -v least=$((first + 1)) 'BEGIN { n = int(rate * left); print (n > least ? n : least) }')
    say "$name: $rate steps/s, $steps steps"
    "$trainer" train "$name" "${common[@]}" --out "$out/run" --set "$name.steps=$steps" \
        --set autoencoder.whole_map_steps=$((steps / 10)) "${@:3}" 2>&1 | tee "$out/$name.log" | tail -3
    rm -rf "$out/run-$name"
}
stage quantiles $(((limit - SECONDS) / 3)) --set quantiles.batch="${BATCH:-32}" --set quantiles.whole_map_steps="${WHOLE:-50}"
say "quantiles"
"$trainer" evaluate --data "$data/test" --weights "$out/run/quantiles.safetensors" --threshold-db -100 --out "$out/test-quantiles.json" \
    --worst "$out/worst-quantiles.png" | tee "$out/test-quantiles.md"
stage autoencoder $(((limit - SECONDS) / 3))
say "first stage"
stage diffusion $((limit - SECONDS)) --from "$out/run/autoencoder.safetensors"
say "denoiser"
for steps in 1 5; do
    "$trainer" evaluate --data "$data/test" --weights "$out/run/diffusion.safetensors" --samples 19 --steps $steps --out "$out/test-$steps.json" \
        --worst "$out/worst-$steps.png" | tee "$out/test-$steps.md"
done
say "done"
