//! The buildings of a mask: which pixels belong to one building.

use radiodiff_radio::scene::BuildingMask;

/// Buildings as sets of pixels that share sides: each one's number of pixels, and whether it reaches the map's edge.
pub fn connected_buildings(mask: &BuildingMask) -> Vec<(usize, bool)> {
    let size = mask.size;
    let mut open = mask.pixels.clone();
    let mut buildings = Vec::new();
    for start in 0..open.len() {
        if open[start] == 0 {
            continue;
        }
        open[start] = 0;
        let (mut queue, mut pixels, mut at_edge) = (vec![start], 0, false);
        while let Some(i) = queue.pop() {
            pixels += 1;
            let (row, column) = (i / size, i % size);
            at_edge |= row == 0 || column == 0 || row + 1 == size || column + 1 == size;
            let neighbours = [
                (row > 0).then(|| i - size),
                (row + 1 < size).then_some(i + size),
                (column > 0).then(|| i - 1),
                (column + 1 < size).then_some(i + 1),
            ];
            for next in neighbours.into_iter().flatten() {
                if open[next] != 0 {
                    open[next] = 0;
                    queue.push(next);
                }
            }
        }
        buildings.push((pixels, at_edge));
    }
    buildings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(size: usize, inside: impl Fn(usize, usize) -> bool) -> BuildingMask {
        BuildingMask { size, pixels: (0..size * size).map(|i| u8::from(inside(i / size, i % size))).collect() }
    }

    #[test]
    fn buildings_that_touch_at_a_corner_are_two() {
        let mask = mask(10, |row, column| (row < 2 && column < 3) || ((2..5).contains(&row) && (3..5).contains(&column)));
        assert_eq!(connected_buildings(&mask), [(6, true), (6, false)]);
    }
}
