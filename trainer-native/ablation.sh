#!/usr/bin/env bash
# What each part of the networks of configs/reliability is worth: trains rows that differ from a base in one thing, with the same maps,
# steps, batches, crops and seed, evaluates them, and prints a table.
#
#   trainer-native/ablation.sh TRAINER DATA OUT STEPS [ROW ...]
#
# TRAINER is the release binary. DATA has the sets that `quantiles-data.sh TRAINER CITIES DATA low` makes. OUT gets a folder for each row.
# STEPS are those of each phase: of the quantiles, of the first stage, of the denoiser. ROW is the name of a row, as the list below has
# them; without one all are trained. Run it again to go on: what is there is kept. The table has every row that OUT has.
#
# BATCH (8) is the maps a step, CROP (128) the side of the crops, THREADS (1) the threads that load maps, SAMPLES (19) how many maps of
# five steps a forecast by diffusion has, LIMIT (all) how many maps of each set it is judged on, LPIPS a file of LPIPS's weights, without
# which there is no row for it. With FIRST_STAGE=only diffusion ends with its first stage, which the table then judges alone. With
# FIRST_STAGE=FILE the rows `denoiser-*` are trained on a first stage that configs/reliability/preset.toml describes, as `trainer train
# autoencoder` made it, instead of that of the row `diffusion`.
set -euo pipefail
if [ $# -lt 4 ]; then
    sed -n '2,17s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
trainer=$(realpath "$1") data=$(realpath "$2") steps=$4
first_stage=
[ ! -f "${FIRST_STAGE:-}" ] || first_stage=$(realpath "$FIRST_STAGE")
mkdir -p "$3"
out=$(realpath "$3")
chosen=" ${*:5} "
cd "$(dirname "${BASH_SOURCE[0]}")"
samples=${SAMPLES:-19}
sets=(valid-low unseen-low)
common=(--config configs/reliability/train.toml --set "data.valid=['$data/valid-low-packed']" --set data.threads="${THREADS:-1}"
    --set "data.train=['$data/low-munich-packed','$data/low-helsinki-packed','$data/low-procedural-packed','$data/low-old-town-packed']"
    --set validate_every=1000000 --set checkpoints.every=$((steps / 10 + 1)) --set checkpoints.keep=1)
# The average of the weights forgets over a twentieth of the steps.
decay=$(awk -v steps="$steps" 'BEGIN { print 1 - 20 / (steps > 40 ? steps : 40) }')
for stage in autoencoder quantiles diffusion; do
    common+=(--set $stage.steps="$steps" --set $stage.batch="${BATCH:-8}" --set "$stage.average.decay=$decay")
done
for stage in autoencoder quantiles; do
    common+=(--set $stage.crop="${CROP:-128}" --set $stage.whole_map_steps=$((steps / 40)))
done

# The time of a training: by the clock on a GPU, else of all threads together, which other programs disturb less.
# A signal stops the trainer, which writes a checkpoint; the script waits for it, so that its time counts, and then ends.
trap : INT TERM
if nvidia-smi -L >/dev/null 2>&1; then TIMEFORMAT=%R; else TIMEFORMAT='%U %S'; fi
# timed PHASE COMMAND ...: adds the seconds that a command took to the row's file of the phase.
timed() {
    local file=$folder/seconds-$1
    shift
    { time "$@" >>"$folder/log.txt" 2>&1; } 2>>"$file" || { tail -3 "$folder/log.txt" >&2 && exit 1; }
}
seconds() { cat "$@" | tr ' ' '\n' | awk '{ sum += $1 } END { printf "%.0f", sum }'; }

# train NAME NETWORK EDIT [ARGUMENT ...]: trains and evaluates a row, where it is chosen and not there yet. NETWORK is quantiles, diffusion,
# or denoiser: diffusion on the first stage of the row `diffusion`. EDIT, a script of sed, makes the row's preset of
# configs/reliability/preset.toml; further arguments are those of `trainer train`.
train() {
    local name=$1 network=$2 edit=$3 folder=$out/$1 weights=diffusion drawing=(--samples "$samples" --steps 5 --network-only)
    shift 3
    [[ $chosen == "  " || $chosen == *" $name "* ]] || return 0
    [ ! -e "$folder/done" ] || return 0
    mkdir -p "$folder"
    # All antennas of these maps stand at 1.5 m: the detour, whose worth is asked, takes the place of their height.
    local channel=detour-gain
    [ "$network" != denoiser ] || [ -z "$first_stage" ] || channel=antenna-height
    sed -e "s/\"antenna-height\"/\"$channel\"/" -e "s/^name = .*/name = \"$name\"/" \
        configs/reliability/preset.toml >"$folder/base.toml"
    if [ "$network" = quantiles ]; then
        # Nothing of the first stage is trained, whose channels of the scene would have to be as many as those of the condition.
        # One row has the physical map's scores beside its own.
        weights=quantiles drawing=(--network-only)
        [ "$name" != quantiles ] || drawing=()
        sed -i '/^scene_channels/d' "$folder/base.toml"
    fi
    sed -e "$edit" "$folder/base.toml" >"$folder/preset.toml"
    if [ -n "$edit" ] && cmp -s "$folder/base.toml" "$folder/preset.toml"; then
        echo "$name: '$edit' changes nothing in configs/reliability/preset.toml" >&2
        exit 1
    fi
    "$trainer" presets --preset "$folder/preset.toml" >"$folder/cost.md"
    local settings=("${common[@]}" --set "preset=$folder/preset.toml" --out "$folder" --resume "$@")
    case $network in
    quantiles) timed 2 "$trainer" train quantiles "${settings[@]}" ;;
    diffusion)
        [ -e "$folder/autoencoder.safetensors" ] || timed 1 "$trainer" train autoencoder "${settings[@]}"
        [ "${FIRST_STAGE:-}" != only ] || return 0
        timed 2 "$trainer" train diffusion "${settings[@]}"
        ;;
    denoiser)
        [ "${FIRST_STAGE:-}" != only ] || return 0
        if [ -n "$first_stage" ]; then
            cp "$first_stage" "$folder/autoencoder.safetensors"
        else
            cp "$out/diffusion/autoencoder.safetensors" "$out/diffusion/seconds-1" "$folder"
        fi
        timed 2 "$trainer" train diffusion "${settings[@]}"
        ;;
    esac
    for set in "${sets[@]}"; do
        "$trainer" evaluate --data "$data/$set" --weights "$folder/$weights.safetensors" ${LIMIT:+--limit "$LIMIT"} \
            "${drawing[@]}" >"$folder/$set.md" 2>>"$folder/log.txt"
    done
    touch "$folder/done"
}
without() { printf '/"%s"/d;' "$@"; }
widths() { echo "s/^widths = .*/widths = [$1]/;s/^detail_width = .*/detail_width = $2/"; }
no_residual='/^\[residual\]/,/^$/d'

rival() { row "$1" quantiles '' --set quantiles.steps="$2" --set quantiles.whole_map_steps=$(($2 / 40)); }

rows() {
    # Quantiles. The noise of the table is what another seed changes.
    row quantiles quantiles ''
    row quantiles-seed-2 quantiles '' --set seed=2
    row quantiles-seed-3 quantiles '' --set seed=3
    row no-residual quantiles "$no_residual"
    row no-physical-map quantiles "$no_residual;$(without dominant-path-gain-at-height)"
    row no-physical-map-or-detour quantiles "$no_residual;$(without dominant-path-gain-at-height detour-gain)"
    row no-line-of-sight quantiles "$(without line-of-sight)"
    row no-distance-gain quantiles "$(without log-distance-gain)"
    row no-detour quantiles "$(without detour-gain)"
    row no-wall-distance quantiles "$(without wall-distance)"
    row no-bearings quantiles "$(without angle-to-transmitter-sin angle-to-transmitter-cos)"
    row physical-map-and-buildings quantiles "$(without line-of-sight log-distance-gain detour-gain wall-distance \
        angle-to-transmitter-sin angle-to-transmitter-cos)"
    row half-width quantiles "$(widths '8, 16, 32, 48' 8)"
    row wide quantiles "$(widths '24, 48, 96, 144' 24)"
    row detail-8 quantiles "$(widths '16, 32, 64, 96' 8)"
    row detail-32 quantiles "$(widths '16, 32, 64, 96' 32)"
    row three-levels quantiles "$(widths '16, 32, 64' 16)"

    # Diffusion, whose first stage is another in these rows ...
    row diffusion diffusion ''
    row diffusion-seed-2 diffusion '' --set seed=2
    row diffusion-no-residual diffusion "$no_residual"
    row diffusion-no-scene diffusion '/^scene_channels/d'
    row diffusion-latent-4 diffusion 's/^latent_channels = .*/latent_channels = 4/'
    row diffusion-latent-16 diffusion 's/^latent_channels = .*/latent_channels = 16/'
    adversary="adversary = { weight = 0.5, phase = { start = $((steps / 2)), factor = 1.0 }, \
discriminator = { channels = 16, layers = 3 } }"
    row diffusion-adversary diffusion '' --set "autoencoder.loss={ $adversary }"
    if [ -n "${LPIPS:-}" ]; then
        row diffusion-lpips diffusion '' --set "autoencoder.loss={ perceptual_weights = '$(realpath "$LPIPS")' }"
        row diffusion-adversary-lpips diffusion '' --set "autoencoder.loss={ perceptual_weights = '$(realpath "$LPIPS")', $adversary }"
    fi
    # ... and the same in these.
    if [ -n "$first_stage" ]; then
        row denoiser-whole denoiser ''
        row denoiser-whole-seed-2 denoiser '' --set seed=2
    fi
    row denoiser-no-fft denoiser 's/^relation_windows = .*/&\nadaptive_fourier = false/'
    row denoiser-no-relation-attention denoiser 's/^relation_windows = .*/relation_windows = [0, 0]/'
    row denoiser-plain denoiser 's/^relation_windows = .*/relation_windows = [0, 0]\nadaptive_fourier = false/'
    row denoiser-1-time-frequency denoiser 's/^time_frequencies = .*/time_frequencies = 1/'
    row denoiser-1-head denoiser 's/^heads = .*/heads = 1/;s/^head_width = .*/head_width = 32/'

    # The plain rival of diffusion for as many steps as both its phases have, and for as long.
    rival quantiles-equal-steps $((2 * steps))
    if [ -e "$out/diffusion/done" ] && [ -e "$out/quantiles/done" ]; then
        long=$(seconds "$out"/diffusion/seconds-*) short=$(seconds "$out"/quantiles/seconds-*)
        rival quantiles-equal-time $((steps * long / (short > 0 ? short : 1)))
    fi
}

# scores NAME ROW: CRPS, RMSE of the mean and the share that the interval holds, on both sets, of the network, or of the row of the tables
# of evaluate whose name begins so.
scores() {
    for set in "${sets[@]}"; do
        [ -e "$out/$1/$set.md" ] || { printf ' | | |' && continue; }
        awk -F ' *[|] *' -v row="${2:-}" '/^\| forecast/ { second = 1 } /^\| / && (row == "" || index($2, row) == 1) {
            if (second) { crps = $3; holds = $5 } else rmse = $7 } END { printf " %s | %s | %s |", crps, rmse, holds }' "$out/$1/$set.md"
    done
}
# line NAME NETWORK ...: a line of the table, of a row that is done or has its first stage.
line() {
    [ -e "$out/$1/done" ] || [ -e "$out/$1/autoencoder.safetensors" ] || return 0
    printf '| %s | %s |' "$1" "$(seconds "$out/$1"/seconds-* | awk '{ printf "%.1f", $1 / 60 }')"
    # Five steps of the sampler, the last with one decoder.
    awk -F ' *[|] *' -v network="$2" -v samples="$samples" 'NF > 10 { parameters = $3 + $4; gmac = $7 + samples * ($6 + 4 * $8 + $9) }
        /^\| / && network == "quantiles" { parameters = $3; gmac = $4 } END { printf " %d | %.2f |", parameters, gmac }' "$out/$1/cost.md"
    # On the validation maps, which are "known" below.
    printf ' %s |' "$(sed -n 's/^autoencoder step.* outdoors \([0-9.]*\) dB.*/\1/p' "$out/$1/log.txt" | tail -1)"
    scores "$1"
    echo
}
row() { "$action" "$@"; }

action=train rows
echo "| row | minutes | parameters | GMAC a forecast | first stage, dB | known: CRPS, dB | RMSE of the mean, dB | 90 % interval holds \
| unseen: CRPS, dB | RMSE of the mean, dB | 90 % interval holds |"
echo "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
[ ! -e "$out/quantiles/done" ] || echo "| physical map | | | | |$(scores quantiles "dominant path")"
action=line rows
