#!/usr/bin/env bash
# Ships a trained network: weights in eight bits, the same as ONNX, their card, and the figures that the page and docs/accuracy.md tell.
#
#   trainer-native/ship.sh TRAINER WEIGHTS VALID TEST [NAME=DIR ...]
#
# TRAINER is the release binary. WEIGHTS is a run's quantiles.safetensors, which the page draws with, or its diffusion.safetensors, which
# ships as nano without its encoder. VALID, folders joined by commas, and TEST are maps whose roofs and cars are hidden (gpu-run.sh makes
# them as OUT/data/valid and OUT/data/test, quantiles-data.sh as unseen-low,unseen-high,unseen-wide-2,valid-8-20,valid-20-40 and
# test-low), or hidden in part: on the first the factor is found that widens samples or quantiles, on the second the very file that ships
# is evaluated, and for the card on every further DIR, there as NAME. configs/reliability/card-NAME.md says on the card how the weights were
# trained and what their limits are: bring it up to date first. LEVELS and COMMIT (see `trainer export --help`), SAMPLES (19) of nano and
# LIMIT, the number of test maps, can be set.
set -euo pipefail
if [ $# -lt 4 ]; then
    sed -n '2,13s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
IFS=, read -ra valid <<< "$3"
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
case $(basename "$2") in
quantiles*.safetensors)
    name=quantiles levels=${LEVELS:-64} drawing=(--calibrate-spread "${valid[@]}") cities="Munich and Helsinki"
    hidden="whose parked cars and some or all of whose roofs (4 to 40 m) are hidden"
    ;;
diffusion*.safetensors)
    name=nano levels=${LEVELS:-7} cities="Munich, Helsinki and Paris" hidden="whose roofs (4 to 40 m) and parked cars are hidden"
    drawing=(--samples "${SAMPLES:-19}" --steps 5 --calibrate-spread "${valid[@]}")
    ;;
*)
    echo "$2: expected a run's quantiles.safetensors or diffusion.safetensors" >&2
    exit 2
    ;;
esac
# In the figures' file names are in order, and the first is the table of docs/accuracy.md.
further=()
for named in "${@:5}"; do further+=(--evaluate "unknown roofs and cars, $named"); done
figures=$(mktemp --suffix .json)
trap 'rm -f "$figures"' EXIT
data="maps of the dominant path model $hidden, of procedural scenes (MIT OR Apache-2.0, made by \
\`trainer dataset synth\`) and of $cities (ODbL-1.0, footprints © OpenStreetMap contributors (openstreetmap.org/copyright))"
"$1" export --weights "$2" --out "$root/models/$name.safetensors" --precision int8 --levels "$levels" --evaluate "unknown roofs and cars=$4" \
    "${further[@]}" "${drawing[@]}" ${LIMIT:+--limit "$LIMIT"} ${COMMIT:+--commit "$COMMIT"} --figures "$figures" --training-data "$data" --note "$(cat "$root/trainer-native/configs/reliability/card-$name.md")"
"$1" export --weights "$root/models/$name.safetensors" --format onnx --out "$root/models/$name.onnx"
node "$root/web/scripts/figures.mjs" "$name" "$figures"
echo "Look at models/$name.md, www/page/figures.js and docs/accuracy.md, and run cargo xtask test."
