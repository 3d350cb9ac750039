#!/usr/bin/env bash
# Makes the maps that models/quantiles.safetensors is trained, calibrated and judged on: roofs and cars vary and are hidden, antennas stand
# at 1.5 m or at 1.5 to 40 m, pixels are of 1, 2 and 4 m. In sets named stated some heights are told.
#
#   trainer-native/quantiles-data.sh TRAINER CITIES OUT [PART ...]
#
# TRAINER is the release binary, CITIES the folder of footprints that `cargo xtask cities` fills. OUT gets a folder for each set, those of
# training packed, of validation also valid-low. PART is train, valid, unseen or test; wide, the sets of 2 and 4 m of all four; stated, those
# of all four where the heights of no, some or all buildings are told; or more, more to train on; all where none is named; low is the sets
# at 1.5 m of the first three, which ablation.sh takes. Paris is in no set of training: on it, a city that the network does not know, the
# spread is calibrated (unseen). Florence and San Francisco are the test. What is there is kept. DIVISOR (1) divides the numbers of scenes
# to train on.
set -euo pipefail
if [ $# -lt 3 ]; then
    sed -n '2,14s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
trainer=$(realpath "$1") cities=$(realpath "$2")
mkdir -p "$3"
data=$(realpath "$3")
shift 3
parts=" ${*:-train valid unseen test wide stated more} "

# shellcheck source=hidden-maps.sh
. "$(dirname "${BASH_SOURCE[0]}")/hidden-maps.sh"
maps() {
    hidden_maps "$1" 256 1 polygon "${@:2}"
}
# With larger pixels, and footprints: a raster of such pixels says too little of the walls. PIXELS METERS NAME ...
wide() {
    hidden_maps "$3" "$1" "$2" polygon/buildings_and_cars --antennas 1.5,40 "${@:4}"
}
wide_train() {
    wide "$@" --transmitters 2
    pack "$3"
}
train() {
    maps "$@" --transmitters 2
    pack "$1"
}
has() { [[ $parts == *" $1 "* ]]; }
part() { echo $(($1 / ${DIVISOR:-1})); }

munich=(--city "$cities/munich.geojson") helsinki=(--city "$cities/helsinki.geojson") paris=(--city "$cities/paris.geojson")
known=(--procedural 12 --city "$cities/munich.geojson" "$cities/helsinki.geojson" --blocks 6 --transmitters 1)
test=(--city "$cities/florence.geojson" "$cities/san-francisco.geojson" --transmitters 1)
if has train || has low; then
    train low-munich "${munich[@]}" --blocks "$(part 250)" --seed 21
    train low-helsinki "${helsinki[@]}" --blocks "$(part 250)" --seed 23
    train low-procedural --procedural "$(part 480)" --seed 24
    train low-old-town --procedural "$(part 200)" --kind old-town --seed 25
fi
if has train; then
    train high-munich "${munich[@]}" --blocks "$(part 300)" --antennas 1.5,40 --seed 31
    train high-helsinki "${helsinki[@]}" --blocks "$(part 200)" --antennas 1.5,40 --seed 33
    train high-procedural --procedural "$(part 240)" --antennas 1.5,40 --seed 34
    train high-old-town --procedural "$(part 140)" --kind old-town --antennas 1.5,40 --seed 35
fi
if has valid || has low; then
    maps valid-low "${known[@]}" --seed 900021
    pack valid-low
fi
if has valid; then
    maps valid-3-8 "${known[@]}" --antennas 3,8 --seed 900022
    maps valid-8-20 "${known[@]}" --antennas 8,20 --seed 900023
    maps valid-20-40 "${known[@]}" --antennas 20,40 --seed 900024
fi
if has unseen || has low; then
    maps unseen-low "${paris[@]}" --blocks 24 --transmitters 1 --seed 900031
fi
if has unseen; then
    maps unseen-high "${paris[@]}" --blocks 24 --transmitters 1 --antennas 1.5,40 --seed 900032
fi
if has test; then
    maps test-low "${test[@]}" --blocks 24 --seed 77
    maps test-3-8 "${test[@]}" --blocks 12 --antennas 3,8 --seed 78
    maps test-8-20 "${test[@]}" --blocks 12 --antennas 8,20 --seed 79
    maps test-20-40 "${test[@]}" --blocks 12 --antennas 20,40 --seed 80
fi
if has wide; then
    wide_train 256 2 wide-2-munich "${munich[@]}" --blocks "$(part 150)" --seed 421
    wide_train 256 2 wide-2-helsinki "${helsinki[@]}" --blocks "$(part 150)" --seed 423
    wide_train 256 2 wide-2-procedural --procedural "$(part 480)" --seed 424
    wide_train 256 2 wide-2-old-town --procedural "$(part 160)" --kind old-town --seed 425
    wide_train 256 4 wide-4-munich "${munich[@]}" --blocks "$(part 60)" --seed 441
    wide_train 256 4 wide-4-helsinki "${helsinki[@]}" --blocks "$(part 60)" --seed 443
    wide_train 256 4 wide-4-procedural --procedural "$(part 360)" --seed 444
    wide_train 256 4 wide-4-old-town --procedural "$(part 160)" --kind old-town --seed 445
    for side_m in 2 4; do
        wide 256 "$side_m" "valid-wide-$side_m" "${known[@]}" --seed "90004$side_m"
        wide 256 "$side_m" "test-wide-$side_m" "${test[@]}" --blocks 12 --seed "90005$side_m"
    done
    # Paris is half a kilometre wide.
    wide 256 2 unseen-wide-2 "${paris[@]}" --blocks 24 --transmitters 1 --seed 900060
    # Areas of the page.
    wide 512 1 test-512-m "${test[@]}" --blocks 6 --seed 900061
    wide 512 2 test-1-km "${test[@]}" --blocks 6 --seed 900062
fi
if has stated; then
    off=(--stated-error 0.15) high=(--antennas 1.5,40)
    some=(--stated-roofs 0,1 "${off[@]}")
    train stated-munich "${munich[@]}" --blocks "$(part 300)" "${high[@]}" "${some[@]}" --seed 51
    train stated-helsinki "${helsinki[@]}" --blocks "$(part 200)" "${high[@]}" "${some[@]}" --seed 53
    train stated-procedural --procedural "$(part 360)" "${high[@]}" "${some[@]}" --seed 54
    train stated-old-town --procedural "$(part 240)" --kind old-town "${high[@]}" "${some[@]}" --seed 55
    wide_train 256 2 stated-2-munich "${munich[@]}" --blocks "$(part 100)" "${some[@]}" --seed 521
    wide_train 256 2 stated-2-helsinki "${helsinki[@]}" --blocks "$(part 100)" "${some[@]}" --seed 523
    wide_train 256 2 stated-2-procedural --procedural "$(part 240)" "${some[@]}" --seed 524
    wide_train 256 4 stated-4-procedural --procedural "$(part 160)" "${some[@]}" --seed 544
    for share in 0 0.5 1; do
        told=(--stated-roofs "$share,$share" "${off[@]}")
        maps "valid-stated-$share" "${known[@]}" "${high[@]}" "${told[@]}" --seed 900071
        maps "unseen-stated-$share" "${paris[@]}" --blocks 24 --transmitters 1 "${high[@]}" "${told[@]}" --seed 900072
        maps "test-stated-$share" "${test[@]}" --blocks 12 "${high[@]}" "${told[@]}" --seed 900073
    done
fi
if has more; then
    train more-low --procedural "$(part 400)" --seed 26
    train more-high --procedural "$(part 400)" --antennas 1.5,40 --seed 36
    train more-old-town --procedural "$(part 200)" --kind old-town --antennas 1.5,40 --seed 37
    wide_train 256 2 more-wide-2 --procedural "$(part 240)" --seed 426
fi
