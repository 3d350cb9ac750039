#!/usr/bin/env bash
# Ships a trained network: weights in eight bits without the encoder, their card, and the figures that the page and docs/accuracy.md tell.
#
#   trainer-native/ship.sh TRAINER WEIGHTS DATA
#
# TRAINER is the release binary. WEIGHTS is a run's diffusion.safetensors. DATA is the folder of test maps whose roofs and cars are hidden
# (gpu-run.sh makes it as OUT/data/test). The figures are those of the very file that ships. configs/reliability/card.md says on the card how
# the weights were trained and what their limits are: bring it up to date first. LEVELS (see `trainer export --help`), SAMPLES (19) and
# LIMIT, the number of maps, can be set.
set -euo pipefail
if [ $# -ne 3 ]; then
    sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
samples=${SAMPLES:-19} steps=5
figures=$(mktemp --suffix .json)
trap 'rm -f "$figures"' EXIT
data="maps of the dominant path model whose roofs (4 to 40 m) and parked cars are hidden, of procedural scenes (MIT OR Apache-2.0, made by \
\`trainer dataset synth\`) and of Munich, Helsinki and Paris (ODbL-1.0, footprints © OpenStreetMap contributors (openstreetmap.org/copyright))"
"$1" export --weights "$2" --out "$root/models/nano.safetensors" --precision int8 --levels "${LEVELS:-7}" --evaluate "unknown roofs and cars=$3" \
    --samples "$samples" --steps "$steps" ${LIMIT:+--limit "$LIMIT"} --figures "$figures" --training-data "$data" --note "$(cat "$root/trainer-native/configs/reliability/card.md")"
node "$root/web/scripts/figures.mjs" "$figures" "$samples" "$steps"
echo "Look at models/nano.md, www/page/figures.js and docs/accuracy.md, and run cargo xtask test."
