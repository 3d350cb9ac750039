# For the scripts beside it, which source it: maps that a planner's folder does not explain. They set `trainer`, the program, and `data`, the
# folder of the sets.

# Makes a set of maps with roofs of 4 to 40 m and 40 cars in every 256 m x 256 m, unless it is there. The folder then keeps no trace of them
# but the heights that --stated-roofs leaves, nor of the outlines that are named. NAME PIXELS METERS-A-PIXEL OUTLINES ARGUMENT ...
hidden_maps() {
    local folder=$data/$1 pixels=$2 pixel_m=$3 outlines=$4
    shift 4
    [ ! -e "$folder/gain/DPM" ] && [ ! -e "$folder-packed/manifest.json" ] || return 0
    "$trainer" dataset synth --out "$folder" --roofs 4,40 --cars $((40 * (pixels * pixel_m) ** 2 / 65536)) --method dpm --pixels "$pixels" \
        --resolution-m "$pixel_m" "$@"
    mv "$folder/gain/carsDPM" "$folder/gain/DPM"
    rm -rf "$folder/$outlines" "$folder/png/cars" "$folder/png/antennas"
    [[ $* == *--stated-roofs* ]] || rm -rf "$folder/png/heights"
}

# Packs a set with all channels that the presets of configs/reliability read, unless it is packed. NAME
pack() {
    [ ! -e "$data/$1-packed/manifest.json" ] || return 0
    rm -rf "$data/$1-packed"
    "$trainer" dataset pack --dataset "$data/$1" --method DPM --out "$data/$1-packed" --channels line-of-sight,log-distance-gain,\
detour-gain,wall-distance,dominant-path-gain-at-height,dominant-path-gain-of-stated-roofs,angle-to-transmitter-sin,\
angle-to-transmitter-cos,antenna-height,stated-roofs
}
