#!/usr/bin/env bash
# One visit to a machine with a CUDA GPU: makes maps whose roofs and cars vary, trains two networks, evaluates them. The network of
# quantiles is told some heights of half of the maps.
#
#   trainer-native/gpu-run.sh TRAINER CITIES OUT [SECONDS]
#
# TRAINER is the release binary, CITIES the folder of footprints that `cargo xtask cities` fills. OUT gets weights, logs and tables.
# Nothing is built. Of SECONDS (600), making the maps takes its part, the quantiles a third of the rest, the first stage a third of what is
# then left. PROCEDURAL and BLOCKS (800 and 400: 2000 scenes, 4000 maps, and for the quantiles half as many with pixels of 2 and 4 m), MAPS
# (24 of each city to test on), FIRST (steps that measure the rate, 150) and WHOLE (the quantiles' steps on whole maps, 50) can be lowered
# for a try on a CPU, as can the batches: FIRST_STAGE_BATCH (32) and BATCH (32). The networks are those of configs/reliability/preset.toml
# and quantiles-preset.toml; KIND=edge takes edge-preset.toml and edge-quantiles-preset.toml beside them, for browsers with a GPU.
set -euo pipefail
if [ $# -lt 3 ]; then
    sed -n '5,12s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
trainer=$(realpath "$1") cities=$(realpath "$2") limit=${4:-600}
mkdir -p "$3"
out=$(realpath "$3") data=$(realpath "$3")/data
cd "$(dirname "${BASH_SOURCE[0]}")"
[ -z "${PRESET:-}" ] || { echo "PRESET is $PRESET: name the networks by KIND, edge or none" >&2; exit 2; }
preset=configs/reliability/${KIND:+$KIND-}preset.toml quantiles=configs/reliability/${KIND:+$KIND-}quantiles-preset.toml
# Before anything is made.
for file in "$preset" "$quantiles"; do "$trainer" presets --preset "$file" >/dev/null; done
say() { echo "[$SECONDS s] $*" | tee -a "$out/log.txt"; }
{ date -u; uname -srm; nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv 2>/dev/null || echo "no nvidia-smi"; } | tee "$out/machine.txt"

# shellcheck source=hidden-maps.sh
. hidden-maps.sh
# NAME METERS-A-PIXEL ARGUMENT ...; of larger pixels a raster says too little of the walls.
maps() {
    local outlines=polygon
    [ "$2" = 1 ] || outlines=polygon/buildings_and_cars
    hidden_maps "$1" 256 "$2" "$outlines" "${@:3}" >>"$out/log.txt" 2>&1
}
known=("$cities/munich.geojson" "$cities/helsinki.geojson" "$cities/paris.geojson")
unseen=("$cities/florence.geojson" "$cities/san-francisco.geojson")
# `training` becomes one of so many parts of the scenes to train on.
part() {
    local procedural=$(((${PROCEDURAL:-800} + $1 - 1) / $1)) blocks=$(((${BLOCKS:-400} + $1 - 1) / $1))
    training=(--procedural $procedural --city "${known[@]}" --blocks $blocks --transmitters 2 --antennas 1.5,40)
}
told=(--stated-error 0.15 --stated-roofs)
part 2
maps train 1 "${training[@]}" --seed 11
maps stated 1 "${training[@]}" "${told[@]}" 0,1 --seed 12
part 8
for side in 2 4; do
    maps wide-$side $side "${training[@]}" --seed 2$side
    maps stated-wide-$side $side "${training[@]}" "${told[@]}" 0,1 --seed 3$side
done
valid=(--antennas 1.5,40 --procedural 12 --city "${known[@]}" --blocks 4 --transmitters 1 --seed 900011)
maps valid 1 "${valid[@]}"
maps valid-stated 1 "${valid[@]}" "${told[@]}" 0.5,0.5
test=(--city "${unseen[@]}" --blocks "${MAPS:-24}" --transmitters 1 --seed 77)
maps test 1 "${test[@]}"
maps test-stated 1 "${test[@]}" --antennas 1.5,40 "${told[@]}" 0.5,0.5
quantiles_sets=
for set in train stated wide-2 wide-4 stated-wide-2 stated-wide-4 valid valid-stated; do
    pack $set >>"$out/log.txt" 2>&1
    [[ $set == valid* ]] || quantiles_sets+="'$data/$set-packed',"
done
say "data is made"

common=(--config configs/reliability/train.toml --set preset="$preset"
    --set "data.train=['$data/train-packed','$data/stated-packed']" --set "data.valid=['$data/valid-packed','$data/valid-stated-packed']"
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
stage quantiles $(((limit - SECONDS) / 3)) --set preset="$quantiles" --set "data.train=[$quantiles_sets]" --set quantiles.batch="${BATCH:-32}" --set quantiles.whole_map_steps="${WHOLE:-50}"
say "quantiles"
for set in test test-stated; do
    "$trainer" evaluate --data "$data/$set" --weights "$out/run/quantiles.safetensors" --threshold-db -100 --out "$out/$set-quantiles.json" \
        --worst "$out/worst-$set-quantiles.png" | tee "$out/$set-quantiles.md"
done
stage autoencoder $(((limit - SECONDS) / 3))
say "first stage"
stage diffusion $((limit - SECONDS)) --from "$out/run/autoencoder.safetensors"
say "denoiser"
for steps in 1 5; do
    "$trainer" evaluate --data "$data/test" --weights "$out/run/diffusion.safetensors" --samples 19 --steps $steps --out "$out/test-$steps.json" \
        --worst "$out/worst-$steps.png" | tee "$out/test-$steps.md"
done
say "done"
