#!/usr/bin/env bash
# Checks and times training steps on a machine with a CUDA GPU, in a given time.
#
#   trainer-native/bench/gpu.sh TRAINER OUT [SECONDS]
#
# TRAINER is the release binary. The data is made anew: a few maps of `dataset synth`. OUT gets checks.md (the losses of CPU, GPU and
# PyTorch beside each other), speed.md (bench/compare.py's tables) and the logs. What does not fit into SECONDS (600) is left out, and
# said so; the most telling runs come first. Without a GPU the same is done on the CPU with few steps.
set -uo pipefail
if [ $# -lt 2 ]; then
    sed -n '4,8s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
trainer=$(realpath "$1") limit=${3:-600}
mkdir -p "$2"
out=$(realpath "$2") here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=${PYTHON:-python3}
log=$out/gpu.log differ=
left() { echo $((limit - SECONDS)); }
say() { echo "[$SECONDS s] $*" | tee -a "$log"; }
if nvidia-smi --query-gpu=name,driver_version --format=csv,noheader >"$out/gpu.txt" 2>/dev/null; then
    gpu=yes steps=60 warm_up=8 trained=20
else
    gpu= steps=2 warm_up=1
    echo "no GPU: what needs one is left out" | tee "$out/gpu.txt"
fi

# Data: one batch of each stage is enough, in nano's sizes, at batch 8 and 32, and in edge's.
config=$here/../configs
data=$out/data
"$trainer" dataset synth --out "$data/maps" --procedural 8 --transmitters 1 --seed 1 >>"$log" 2>&1 || say "dataset synth failed"
prepare() {
    local name=$1 preset=$2 batch=$3
    "$trainer" bench prepare --config "$config/$preset.toml" --out "$data/$name" --batches 2 --set "data.train=['$data/maps']" \
        --set "data.valid=['$data/maps']" --set autoencoder.batch="$batch" --set diffusion.pixel.batch="$batch" >>"$log" 2>&1 ||
        say "bench prepare of $name failed"
}
prepare nano nano 8
say "data is made"

# Losses, and meanwhile what torch.compile makes of both stages goes to its cache. Nothing of this is timed.
check() {
    local stage=$1
    shift
    timeout 150 "$@" --data "$data/nano" --steps 4 --warm-up 4 --without-dropout 2>>"$log"
}
for stage in first-stage diffusion; do
    CUDA_VISIBLE_DEVICES='' check "$stage" "$trainer" bench run "$stage" --cpu >"$out/$stage-cpu.json" &
    check "$stage" "$python" "$here/steps.py" --stage "$stage" >"$out/$stage-torch.json" &
    if [ -n "$gpu" ]; then
        check "$stage" "$trainer" bench run "$stage" --without-graphs >"$out/$stage-operations.json" &
        check "$stage" "$trainer" bench run "$stage" >"$out/$stage-graphs.json" &
        timeout 150 "$python" "$here/steps.py" --stage "$stage" --data "$data/nano" --compile --steps 2 --warm-up 4 >>"$log" 2>&1 &
    fi
done
# A training with recorded steps beside one without: the same masks are dropped, so that the losses are the same.
train() {
    local folder=$1
    shift
    timeout 150 "$trainer" train all --config "$config/nano.toml" --out "$out/$folder" --set "data.train=['$data/maps']" \
        --set "data.valid=['$data/maps']" --set autoencoder.steps="$trained" --set autoencoder.whole_map_steps=6 \
        --set diffusion.steps="$trained" --set diffusion.pixel.steps="$trained" "$@" >"$out/$folder.log" 2>&1 || say "failed: train $folder"
}
if [ -n "$gpu" ]; then
    train trained-graphs &
    train trained-operations --set cuda_graphs=false &
    train trained-bfloat16 --set precision=bfloat16 &
fi
wait
for stage in first-stage diffusion; do
    runs=("CPU=$out/$stage-cpu.json" "PyTorch=$out/$stage-torch.json")
    [ -n "$gpu" ] && runs+=("GPU=$out/$stage-operations.json" "GPU, replayed=$out/$stage-graphs.json")
    { echo "$stage"; echo; "$python" "$here/agree.py" "${runs[@]}" 2>&1; agreed=$?; echo; exit $agreed; } | tee -a "$out/checks.md" || differ=yes
done
if [ -n "$gpu" ]; then
    for network in autoencoder diffusion; do
        runs=("without graphs=$out/trained-operations/$network/metrics.jsonl" "with graphs=$out/trained-graphs/$network/metrics.jsonl")
        runs+=("bfloat16=$out/trained-bfloat16/$network/metrics.jsonl@1e-2")
        { echo "train $network"; echo; "$python" "$here/agree.py" "${runs[@]}" 2>&1; agreed=$?; echo; exit $agreed; } | tee -a "$out/checks.md" || differ=yes
    done
    tail -n 2 "$out"/trained-*.log | cut -c1-300 | tee -a "$log"
fi
say "losses are compared${differ:+, and differ}"

# Times. Each call needs about so many seconds on a GPU.
time_steps() {
    local needs=$1
    shift
    if [ "$(left)" -lt "$needs" ]; then
        say "left out for want of time: $*"
        return
    fi
    timeout "$(left)" "$python" "$here/compare.py" --trainer "$trainer" --pairs 1 --steps "$steps" --warm-up "$warm_up" --without-losses "$@" \
        >>"$out/speed.md" 2>>"$log" || say "failed: $*"
    say "timed: $*"
}
if [ -z "$gpu" ]; then
    time_steps 0 --data "$data/nano"
    exit ${differ:+1}
fi
time_steps 60 --data "$data/nano" --compile --stage diffusion
time_steps 50 --data "$data/nano" --compile --stage first-stage --without-head
for precision in bfloat16 tf32; do
    time_steps 40 --data "$data/nano" --precision "$precision" --without-head
done
time_steps 40 --data "$data/nano" --precision bfloat16 --channels-last --without-head
time_steps 70 --data "$data/nano" --compile reduce-overhead --stage diffusion --without-head
prepare nano-32 nano 32
time_steps 40 --data "$data/nano-32" --without-head --operations
prepare edge edge 8
time_steps 40 --data "$data/edge" --without-head --operations
time_steps 60 --data "$data/nano" --cudnn-benchmark --without-head
cat "$out/speed.md"
exit ${differ:+1}
