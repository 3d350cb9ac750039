//! Buildings of a ray-tracing scene: meshes of walls and roofs, seen from straight above.
//!
//! A scene has a few PLY files a building (`Name-itu_marble.ply` and `Name-itu_metal.ply`, or `Name-wall.ply` and
//! `Name-roof.ply`). Its footprint is the union of all faces projected to the ground, where walls vanish; its height is what
//! the vertices span. What hangs in the air (bridges between houses, spires cut from their towers) is left out.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use geo::{Area, Coord, LineString, MapCoords, MultiPolygon, Polygon};
use ply_rs_bw::parser::Parser;
use ply_rs_bw::ply::{DefaultElement, Property};
use radiodiff_radio::geometry::union_of;
use radiodiff_radio::scene::{Footprint, LocalFrame};

use super::footprints::{publishable, tidy};
use super::wheels::Wheel;

/// What begins higher than this above the ground does not stand on it.
const FLOATING_M: f64 = 4.0;
/// The shadow of a wall, from rounding to f32: no face.
const WALL_M2: f64 = 1e-4;

/// Meshes that are no building.
const GROUND: [&str; 3] = ["ground", "Plane", "Terrain"];

/// A triangle mesh in the scene's metres.
#[derive(Default)]
struct Mesh {
    vertices: Vec<[f64; 3]>,
    faces: Vec<Vec<usize>>,
}

/// Every building of a scene: all meshes under `folder` in the wheel, `ground_m` being how high the scene's ground rises.
///
/// # Errors
/// A mesh that is no PLY file of x, y, z vertices and faces of vertex indices.
pub fn buildings(wheel: &mut Wheel, folder: &str, ground_m: f64, frame: &LocalFrame) -> Result<Vec<Footprint>> {
    let mut meshes: BTreeMap<String, Mesh> = BTreeMap::new();
    for member in wheel.members(folder).iter().filter(|name| name.ends_with(".ply")) {
        let name = building_name(&member[folder.len()..]);
        if !GROUND.contains(&name) {
            let mesh = read(&wheel.read(member)?).with_context(|| format!("reading {member}"))?;
            meshes.entry(name.into()).or_default().append(mesh);
        }
    }
    let mut footprints = Vec::new();
    for mesh in meshes.values() {
        let (lowest_m, highest_m) = mesh.span_m();
        if lowest_m > ground_m + FLOATING_M {
            continue;
        }
        let height_m = Some(((highest_m - lowest_m) * 10.0).round() / 10.0);
        for outline in tidy(mesh.outline()) {
            let polygons = publishable(&outline.map_coords(|metres| frame.to_degrees(metres)));
            footprints.extend(polygons.into_iter().map(|polygon| Footprint { polygon, height_m, levels: None, is_part: false }));
        }
    }
    Ok(footprints)
}

/// The building a file belongs to: its name without material, part and extension.
fn building_name(file: &str) -> &str {
    let stem = file.trim_end_matches(".ply");
    let stem = stem.split_once("-itu_").map_or(stem, |(name, _)| name);
    stem.trim_end_matches("-wall").trim_end_matches("-roof")
}

impl Mesh {
    fn append(&mut self, other: Mesh) {
        let offset = self.vertices.len();
        self.vertices.extend(other.vertices);
        self.faces.extend(other.faces.into_iter().map(|face| face.into_iter().map(|index| index + offset).collect()));
    }

    /// The lowest and the highest z.
    fn span_m(&self) -> (f64, f64) {
        self.vertices.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v[2]), high.max(v[2])))
    }

    /// The ground the mesh covers, seen from above.
    fn outline(&self) -> MultiPolygon<f64> {
        let project = |face: &Vec<usize>| {
            let corners = face.iter().map(|&index| Coord { x: self.vertices[index][0], y: self.vertices[index][1] });
            Polygon::new(LineString(corners.collect()), vec![])
        };
        let faces: Vec<Polygon<f64>> = self.faces.iter().map(project).filter(|face| face.unsigned_area() > WALL_M2).collect();
        union_of(&faces)
    }
}

/// Reads a PLY file; properties other than x, y, z and the index list (texture coordinates, say) do not matter here.
fn read(mut bytes: &[u8]) -> Result<Mesh> {
    let ply = Parser::<DefaultElement>::new().read_ply(&mut bytes).context("parsing PLY")?;
    let elements = |name: &str| ply.payload.get(name).with_context(|| format!("a PLY file without `{name}` elements"));
    let mut mesh = Mesh::default();
    for vertex in elements("vertex")? {
        let axis = |name: &str| match vertex.get(name) {
            Some(Property::Float(v)) if v.is_finite() => Ok(f64::from(*v)),
            other => bail!("vertex {}: `{name}` is {other:?}, expected a finite float", mesh.vertices.len()),
        };
        mesh.vertices.push([axis("x")?, axis("y")?, axis("z")?]);
    }
    for face in elements("face")? {
        let indices = match face.get("vertex_indices").or_else(|| face.get("vertex_index")) {
            Some(Property::ListInt(list)) => list.iter().map(|&i| usize::try_from(i).ok()).collect(),
            Some(Property::ListUInt(list)) => list.iter().map(|&i| usize::try_from(i).ok()).collect(),
            _ => None,
        };
        match indices.filter(|list: &Vec<usize>| list.iter().all(|&i| i < mesh.vertices.len())) {
            Some(indices) => mesh.faces.push(indices),
            None => bail!("face {}: no list of indices below {}", mesh.faces.len(), mesh.vertices.len()),
        }
    }
    Ok(mesh)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A cube of 10 m on the ground as an ASCII PLY, the top split into two triangles, one corner index replaceable.
    fn cube(last_index: usize) -> String {
        let corners = "0 0 0\n10 0 0\n10 10 0\n0 10 0\n0 0 8\n10 0 8\n10 10 8\n0 10 8\n";
        let faces = format!("4 0 1 5 4\n4 1 2 6 5\n4 2 3 7 6\n4 3 0 4 7\n3 4 5 6\n3 4 6 {last_index}\n");
        let properties = "property float x\nproperty float y\nproperty float z\n";
        format!(
            "ply\nformat ascii 1.0\nelement vertex 8\n{properties}element face 6\nproperty list uchar int vertex_indices\nend_header\n\
             {corners}{faces}"
        )
    }

    #[test]
    fn a_cube_seen_from_above_is_a_square() {
        let mesh = read(cube(7).as_bytes()).unwrap();
        let outlines = tidy(mesh.outline());
        assert_eq!(outlines.len(), 1);
        assert_eq!(outlines[0].unsigned_area(), 100.0);
        assert_eq!(outlines[0].exterior().0.len(), 5, "four corners and the first again: {:?}", outlines[0]);
        assert_eq!(mesh.span_m(), (0.0, 8.0));
    }

    #[test]
    fn four_wings_leave_a_courtyard() {
        let mut mesh = Mesh::default();
        for [west, south, east, north] in [[0., 0., 30., 5.], [0., 25., 30., 30.], [0., 5., 5., 25.], [25., 5., 30., 25.]] {
            let vertices = vec![[west, south, 9.], [east, south, 9.], [east, north, 9.], [west, north, 9.]];
            mesh.append(Mesh { vertices, faces: vec![vec![3, 2, 1, 0]] });
        }
        let outlines = tidy(mesh.outline());
        assert_eq!(outlines.len(), 1);
        assert_eq!(outlines[0].interiors().len(), 1);
        assert_eq!(outlines[0].unsigned_area(), 500.0);
    }

    #[test]
    fn a_face_that_points_nowhere_is_an_error_that_says_which() {
        let error = read(cube(8).as_bytes()).err().expect("index 8 of 8 vertices");
        assert!(error.to_string().contains("face 5"), "{error}");
        assert!(read(b"ply\nformat ascii 1.0\nend_header\n").is_err());
    }

    #[test]
    fn files_of_one_building_share_its_name() {
        for file in ["Altes_Rathaus-itu_marble.ply", "Altes_Rathaus-wall.ply", "Altes_Rathaus-roof.ply", "Altes_Rathaus.ply"] {
            assert_eq!(building_name(file), "Altes_Rathaus");
        }
    }
}
