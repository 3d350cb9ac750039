//! Scenes at random, for laws that hold in every scene.

use fastrand::Rng;
use geo::{Coord, LineString, Polygon};

/// Turned boxes, up to one in each square of 16 m of a map of 64 m; some overlap.
pub fn random_boxes(random: &mut Rng) -> Vec<Polygon<f64>> {
    let mut boxes = Vec::new();
    for i in 0..16 {
        let center = Coord { x: f64::from(i % 4) * 16.0 + 16.0 * random.f64(), y: f64::from(i / 4) * 16.0 + 16.0 * random.f64() };
        let (half, angle) = (Coord { x: 2.0 + 4.0 * random.f64(), y: 2.0 + 4.0 * random.f64() }, 3.0 * random.f64());
        if random.f64() < 0.7 {
            let corner = |x: f64, y: f64| {
                let (x, y) = (x * half.x, y * half.y);
                Coord { x: center.x + x * angle.cos() - y * angle.sin(), y: center.y + x * angle.sin() + y * angle.cos() }
            };
            boxes.push(Polygon::new(LineString(vec![corner(-1., -1.), corner(1., -1.), corner(1., 1.), corner(-1., 1.)]), vec![]));
        }
    }
    boxes
}
