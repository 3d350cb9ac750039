//! Convex outlines, and the operation that cuts them: keeping one side of a line.
//!
//! Outlines are counter-clockwise lists of corners in metres, without the first repeated at the end. An empty list is no area.

use geo::Coord;

/// A convex outline, counter-clockwise.
pub type Outline = Vec<Coord<f64>>;

pub fn add(a: Coord<f64>, b: Coord<f64>, factor: f64) -> Coord<f64> {
    Coord { x: a.x + factor * b.x, y: a.y + factor * b.y }
}

pub fn dot(a: Coord<f64>, b: Coord<f64>) -> f64 {
    a.x * b.x + a.y * b.y
}

/// The unit vector of an angle in radians.
pub fn direction(angle: f64) -> Coord<f64> {
    Coord { x: angle.cos(), y: angle.sin() }
}

/// A vector turned left by a right angle.
pub fn left_of(v: Coord<f64>) -> Coord<f64> {
    Coord { x: -v.y, y: v.x }
}

/// The side of a line that its unit normal points to.
#[derive(Clone, Copy, Debug)]
pub struct HalfPlane {
    pub point: Coord<f64>,
    pub normal: Coord<f64>,
}

impl HalfPlane {
    /// Metres inside; negative outside.
    pub fn depth(&self, point: Coord<f64>) -> f64 {
        dot(add(point, self.point, -1.0), self.normal)
    }

    /// The other side.
    pub fn opposite(&self) -> Self {
        Self { point: self.point, normal: Coord { x: -self.normal.x, y: -self.normal.y } }
    }

    /// The same side of a line `distance` metres further in.
    pub fn moved(&self, distance: f64) -> Self {
        Self { point: add(self.point, self.normal, distance), normal: self.normal }
    }
}

/// The part of an outline inside a half-plane (Sutherland and Hodgman, 1974).
pub fn clip(outline: &[Coord<f64>], keep: HalfPlane) -> Outline {
    let mut kept = Vec::with_capacity(outline.len() + 1);
    for (i, &a) in outline.iter().enumerate() {
        let b = outline[(i + 1) % outline.len()];
        let (depth_a, depth_b) = (keep.depth(a), keep.depth(b));
        if depth_a >= 0.0 {
            kept.push(a);
        }
        if (depth_a >= 0.0) != (depth_b >= 0.0) {
            kept.push(add(a, add(b, a, -1.0), depth_a / (depth_a - depth_b)));
        }
    }
    if kept.len() < 3 { Vec::new() } else { kept }
}

/// A side of an outline.
#[derive(Clone, Copy, Debug)]
pub struct Side {
    pub start: Coord<f64>,
    pub along: Coord<f64>,
    pub inward: Coord<f64>,
    pub length: f64,
}

impl Side {
    /// The half-plane inside.
    pub fn inside(&self) -> HalfPlane {
        HalfPlane { point: self.start, normal: self.inward }
    }

    /// A point so far along the side and so deep inside.
    pub fn at(&self, along: f64, depth: f64) -> Coord<f64> {
        add(add(self.start, self.along, along), self.inward, depth)
    }

    /// The rectangle over [from, to] along the side and [near, far] inside.
    pub fn rectangle(&self, from: f64, to: f64, near: f64, far: f64) -> Outline {
        vec![self.at(from, near), self.at(to, near), self.at(to, far), self.at(from, far)]
    }
}

/// The sides of an outline; those too short to have a direction are left out.
pub fn sides(outline: &[Coord<f64>]) -> Vec<Side> {
    let side = |(i, &start): (usize, &Coord<f64>)| {
        let to = add(outline[(i + 1) % outline.len()], start, -1.0);
        let length = to.x.hypot(to.y);
        let along = Coord { x: to.x / length, y: to.y / length };
        (length > 1e-6).then(|| Side { start, along, inward: left_of(along), length })
    };
    outline.iter().enumerate().filter_map(side).collect()
}

/// An outline whose sides are moved inwards by `distance` metres.
pub fn inset(outline: &[Coord<f64>], distance: f64) -> Outline {
    sides(outline).iter().fold(outline.to_vec(), |kept, side| clip(&kept, side.inside().moved(distance)))
}

/// Square metres.
pub fn area(outline: &[Coord<f64>]) -> f64 {
    let cross = |(i, a): (usize, &Coord<f64>)| {
        let b = outline[(i + 1) % outline.len()];
        a.x * b.y - a.y * b.x
    };
    outline.iter().enumerate().map(cross).sum::<f64>() / 2.0
}

/// The mean of the corners.
pub fn middle(outline: &[Coord<f64>]) -> Coord<f64> {
    let sum = outline.iter().fold(Coord { x: 0.0, y: 0.0 }, |sum, &p| add(sum, p, 1.0));
    let count = outline.len().max(1) as f64;
    Coord { x: sum.x / count, y: sum.y / count }
}

pub fn contains(outline: &[Coord<f64>], point: Coord<f64>) -> bool {
    sides(outline).iter().all(|side| side.inside().depth(point) >= 0.0)
}

/// Whether two convex outlines come closer than `gap` metres to each other, by a separating side.
pub fn too_close(a: &[Coord<f64>], b: &[Coord<f64>], gap: f64) -> bool {
    let separates = |side: &Side, other: &[Coord<f64>]| other.iter().all(|&p| side.inside().depth(p) <= -gap);
    !(sides(a).iter().any(|side| separates(side, b)) || sides(b).iter().any(|side| separates(side, a)))
}

/// A rectangle about a point, its length in the direction of the unit vector `along`.
pub fn rectangle(center: Coord<f64>, along: Coord<f64>, length: f64, width: f64) -> Outline {
    let across = left_of(along);
    let corner = |l: f64, w: f64| add(add(center, along, l * length / 2.0), across, w * width / 2.0);
    vec![corner(-1.0, -1.0), corner(1.0, -1.0), corner(1.0, 1.0), corner(-1.0, 1.0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_square_is_clipped_and_inset() {
        let square = rectangle(Coord { x: 1.0, y: 2.0 }, direction(0.7), 10.0, 10.0);
        assert!((area(&square) - 100.0).abs() < 1e-9);
        assert!((area(&inset(&square, 2.0)) - 36.0).abs() < 1e-9);
        assert!(inset(&square, 5.5).is_empty());
        let half = clip(&square, HalfPlane { point: Coord { x: 1.0, y: 2.0 }, normal: direction(0.7) });
        assert!((area(&half) - 50.0).abs() < 1e-9);
        assert!(contains(&square, middle(&square)) && !contains(&half, Coord { x: -1.0, y: 0.5 }));
    }

    #[test]
    fn outlines_keep_their_distance() {
        let at = |x: f64| rectangle(Coord { x, y: 0.0 }, direction(0.0), 10.0, 10.0);
        assert!(too_close(&at(0.0), &at(9.0), 0.0));
        assert!(!too_close(&at(0.0), &at(13.0), 2.5) && too_close(&at(0.0), &at(13.0), 3.5));
    }
}
