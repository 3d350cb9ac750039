//! Measuring building masks: how far it is to the nearest wall, and which pixels are one building.

use radiodiff_radio::scene::BuildingMask;

/// Per pixel the distance in pixels from its centre to that of the nearest building's pixel, 0 inside buildings; infinite where
/// there is no building. Exact, by Felzenszwalb and Huttenlocher's lower envelope of parabolas (Theory of Computing 8, 2012).
pub fn distance_to_wall(mask: &BuildingMask) -> Vec<f64> {
    let size = mask.size;
    let mut squared: Vec<f64> = mask.pixels.iter().map(|&inside| if inside != 0 { 0.0 } else { f64::INFINITY }).collect();
    let mut line = vec![0.0; size];
    for (start, step) in (0..size).map(|column| (column, size)).chain((0..size).map(|row| (row * size, 1))) {
        line.iter_mut().enumerate().for_each(|(i, v)| *v = squared[start + i * step]);
        for (i, v) in envelope(&line).into_iter().enumerate() {
            squared[start + i * step] = v;
        }
    }
    squared.iter().map(|v| v.sqrt()).collect()
}

/// For each i, the least (i - j)^2 + heights[j].
fn envelope(heights: &[f64]) -> Vec<f64> {
    // Parabolas of the envelope and where each begins to be the lowest.
    let mut lowest: Vec<(usize, f64)> = Vec::new();
    for (j, &height) in heights.iter().enumerate().filter(|(_, height)| height.is_finite()) {
        let mut from = f64::NEG_INFINITY;
        while let Some(&(k, begins)) = lowest.last() {
            let square = |i: usize| (i * i) as f64;
            let crossing = ((height + square(j)) - (heights[k] + square(k))) / (2 * (j - k)) as f64;
            if crossing > begins {
                from = crossing;
                break;
            }
            lowest.pop();
        }
        lowest.push((j, from));
    }
    let mut at = 0;
    let mut value = |i: usize| {
        while lowest.get(at + 1).is_some_and(|&(_, begins)| begins <= i as f64) {
            at += 1;
        }
        lowest.get(at).map_or(f64::INFINITY, |&(j, _)| (i.abs_diff(j) * i.abs_diff(j)) as f64 + heights[j])
    };
    (0..heights.len()).map(&mut value).collect()
}

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
    fn distances_are_those_of_a_search_over_all_walls() {
        let mask = mask(23, |row, column| (row * 7 + column * 13) % 41 == 0);
        let walls: Vec<(usize, usize)> = (0..23 * 23).filter(|&i| mask.pixels[i] != 0).map(|i| (i / 23, i % 23)).collect();
        for (i, found) in distance_to_wall(&mask).into_iter().enumerate() {
            let to = |&(row, column): &(usize, usize)| ((i / 23).abs_diff(row) as f64).hypot((i % 23).abs_diff(column) as f64);
            let nearest = walls.iter().map(to).fold(f64::INFINITY, f64::min);
            assert!((found - nearest).abs() < 1e-9, "{found} for {nearest}");
        }
        assert!(distance_to_wall(&BuildingMask { size: 2, pixels: vec![0; 4] }).iter().all(|d| d.is_infinite()));
    }

    #[test]
    fn buildings_that_touch_at_a_corner_are_two() {
        let mask = mask(10, |row, column| (row < 2 && column < 3) || ((2..5).contains(&row) && (3..5).contains(&column)));
        assert_eq!(connected_buildings(&mask), [(6, true), (6, false)]);
    }
}
