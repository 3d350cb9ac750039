//! The one rule of what a building is, for every format.
//!
//! A map of radio waves at street level needs what stands on the ground and stops them: outlines with walls. Map data holds more:
//! car parks below the street, roofs on posts, parks, squares, the municipality's boundary. The rule, in this order:
//!
//! 1. **Below the ground** is no building: `location=underground` (or `subsurface`, `underwater`), a negative `layer` or `level` (a
//!    list counts where all of it is negative), `parking=underground`, `tunnel=yes`, `is_underground` (Overture), and
//!    `building:levels=0` with levels underground.
//! 2. **`building=*`** is a building, but for `no`, roofs without walls (`roof`, `carport`, `canopy`), and what does not stand (yet or
//!    any more: `proposed`, `planned`, `demolished`, `razed`, `destroyed`, `removed`).
//! 3. **`building:part=*`** is a part of a building by the same values, unless it begins above the ground (`min_height`,
//!    `building:min_level`).
//! 4. **Tagged as something else** is no building: a key by which OpenStreetMap says what an area is (`landuse`, `leisure`, `natural`,
//!    `boundary`, `highway`, `amenity`, ...), or a building under a lifecycle prefix (`demolished:building`). A school's
//!    grounds are `amenity=school`; its houses carry `building` too.
//! 5. **Anything else** is a building where the file is a collection of outlines (footprints of a register or a detector carry no
//!    tags of OpenStreetMap), and is none in OpenStreetMap's own files, where an untagged way is a piece of something.
//!
//! In flow the tags of an outline; out flows a verdict. Keys: <https://wiki.openstreetmap.org/wiki/Key:building>,
//! <https://wiki.openstreetmap.org/wiki/Simple_3D_Buildings>.

use super::tags::Tags;

/// What an outline is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Building,
    /// A part of a building, whose outline lies within the building's own.
    Part,
    /// Nothing says what it is.
    Untagged,
    /// Not above the ground.
    Underground,
    /// A roof on posts, or a part that hangs in the air.
    Open,
    /// Its tags say that no building stands there.
    NotStanding,
    /// It is something else, by this key.
    Other(&'static str),
}

/// Keys by which OpenStreetMap says what an area is.
const OTHER_KEYS: [&str; 32] = [
    "landuse",
    "leisure",
    "natural",
    "boundary",
    "admin_level",
    "highway",
    "area:highway",
    "waterway",
    "water",
    "wetland",
    "landcover",
    "railway",
    "aeroway",
    "aerialway",
    "amenity",
    "parking",
    "place",
    "barrier",
    "power",
    "telecom",
    "public_transport",
    "man_made",
    "tourism",
    "historic",
    "military",
    "shop",
    "office",
    "craft",
    "golf",
    "playground",
    "piste:type",
    "indoor",
];
const LIFECYCLE_PREFIXES: [&str; 11] =
    ["demolished", "razed", "destroyed", "removed", "dismantled", "was", "proposed", "planned", "construction", "abandoned", "disused"];
const NO_BUILDING: [&str; 11] =
    ["no", "none", "false", "0", "proposed", "planned", "demolished", "razed", "destroyed", "removed", "dismantled"];
const OPEN: [&str; 3] = ["roof", "carport", "canopy"];

/// Judges an outline by its tags; the module says by which rule.
pub(crate) fn judge(tags: &Tags) -> Verdict {
    let building = tags.get("building").map(of_value);
    let part = tags.get("building:part").map(of_value);
    // "building=no" beside "building:part=yes" is how a part is told from its building.
    let shape = match (building, part) {
        (Some(Verdict::Building), _) => Some(Verdict::Building),
        (_, Some(Verdict::Building)) if begins_above_ground(tags) => Some(Verdict::Open),
        (_, Some(Verdict::Building)) => Some(Verdict::Part),
        (building, part) => building.or(part),
    };
    match shape {
        Some(Verdict::Building | Verdict::Part) | None if is_underground(tags) => Verdict::Underground,
        Some(verdict) => verdict,
        None => something_else(tags).map_or(Verdict::Untagged, Verdict::Other),
    }
}

/// What a value of `building` or `building:part` says. A list (`yes;roof`) is a building where one of its values is.
fn of_value(value: &str) -> Verdict {
    let mut verdict = Verdict::NotStanding;
    for value in value.split(';').map(|value| value.trim().to_lowercase()) {
        if OPEN.contains(&value.as_str()) {
            verdict = Verdict::Open;
        } else if !NO_BUILDING.contains(&value.as_str()) {
            return Verdict::Building;
        }
    }
    verdict
}

fn is_underground(tags: &Tags) -> bool {
    let is = |key: &str, values: &[&str]| tags.get(key).is_some_and(|value| values.contains(&value.to_lowercase().as_str()));
    is("location", &["underground", "subsurface", "underwater"])
        || is("building", &["underground"])
        || is("parking", &["underground"])
        || is("tunnel", &["yes"])
        || is("underground", &["yes", "true"])
        || is("is_underground", &["yes", "true"])
        || ["layer", "level"].iter().any(|key| tags.get(key).is_some_and(all_negative))
        || (tags.get("building:levels").and_then(number) == Some(0.0)
            && tags.get("building:levels:underground").and_then(number).is_some_and(|levels| levels > 0.0))
}

fn begins_above_ground(tags: &Tags) -> bool {
    ["min_height", "building:min_level"].iter().any(|key| tags.get(key).and_then(number).is_some_and(|start| start > 0.0))
}

fn number(text: &str) -> Option<f64> {
    text.trim().trim_end_matches('m').trim_end().replace('\u{2212}', "-").parse().ok()
}

/// Whether a list of numbers (`-1`, `-2;-1`) is negative throughout; a range (`-2-0`) is none.
fn all_negative(text: &str) -> bool {
    text.split([';', ',']).all(|part| number(part).is_some_and(|value| value < 0.0))
}

fn something_else(tags: &Tags) -> Option<&'static str> {
    let present = |key: &&&str| tags.get(key).is_some_and(|value| !["no", "false"].contains(&value.to_lowercase().as_str()));
    let lifecycle = || {
        let gone = |key: &str| key.strip_suffix(":building").is_some_and(|prefix| LIFECYCLE_PREFIXES.contains(&prefix));
        tags.keys().any(gone).then_some("a building that is gone or not there yet")
    };
    OTHER_KEYS.iter().find(present).copied().or_else(lifecycle)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn verdict(properties: Value) -> Verdict {
        judge(&Tags::from_properties(&properties))
    }

    #[test]
    fn what_has_walls_above_the_ground_is_a_building() {
        for building in [
            json!({"building": "yes"}),
            json!({"building": "apartments", "layer": "1"}),
            json!({"building": true, "level": 0}),
            json!({"building": 1}),
            json!({"building": "yes;roof"}),
            json!({"building": "yes", "amenity": "school", "landuse": "education"}),
            json!({"building": "yes", "layer": "-1;0"}),
            json!({"building": "yes", "level": "-2-3"}),
            json!({"building": "parking", "building:levels": 5, "building:levels:underground": 2}),
            json!({"building": "yes", "layer": null, "location": ""}),
        ] {
            assert_eq!(verdict(building.clone()), Verdict::Building, "{building}");
        }
    }

    #[test]
    fn what_lies_below_the_ground_is_none_however_it_is_written() {
        for tag in [
            json!({"location": "underground"}),
            json!({"location": "Underground"}),
            json!({"layer": "-2"}),
            json!({"layer": -1}),
            json!({"layer": "-0.5"}),
            json!({"layer": " -1 "}),
            json!({"layer": "-2;-1"}),
            json!({"level": "-1"}),
            json!({"level": -3.0}),
            json!({"parking": "underground"}),
            json!({"is_underground": true}),
            json!({"tunnel": "yes"}),
            json!({"building:levels": 0, "building:levels:underground": "2"}),
        ] {
            for building in ["yes", "garage"] {
                let mut tags = tag.clone();
                tags["building"] = building.into();
                assert_eq!(verdict(tags.clone()), Verdict::Underground, "{tags}");
            }
            assert_eq!(verdict(tag.clone()), Verdict::Underground, "{tag} alone");
        }
    }

    #[test]
    fn roofs_and_what_does_not_stand_are_none() {
        for open in ["roof", "Roof", "carport", "canopy", "roof;no"] {
            assert_eq!(verdict(json!({"building": open})), Verdict::Open, "{open}");
        }
        for gone in ["no", "No", "none", "false", "demolished", "proposed"] {
            assert_eq!(verdict(json!({"building": gone})), Verdict::NotStanding, "{gone}");
        }
        assert_eq!(verdict(json!({"building": false})), Verdict::NotStanding);
        assert_eq!(verdict(json!({"building": "no", "landuse": "grass"})), Verdict::NotStanding);
        assert!(matches!(verdict(json!({"demolished:building": "yes"})), Verdict::Other(_)));
    }

    #[test]
    fn parts_are_parts_unless_they_hang_in_the_air() {
        assert_eq!(verdict(json!({"building:part": "yes"})), Verdict::Part);
        assert_eq!(verdict(json!({"building:part": "yes", "building": "no"})), Verdict::Part);
        assert_eq!(verdict(json!({"building:part": "yes", "building": "yes", "min_height": 3})), Verdict::Building);
        assert_eq!(verdict(json!({"building:part": "roof"})), Verdict::Open);
        assert_eq!(verdict(json!({"building:part": "yes", "min_height": "4 m"})), Verdict::Open);
        assert_eq!(verdict(json!({"building:part": "yes", "building:min_level": 2})), Verdict::Open);
        assert_eq!(verdict(json!({"building:part": "yes", "layer": -1})), Verdict::Underground);
    }

    #[test]
    fn areas_of_another_kind_are_told_from_plain_outlines() {
        for (properties, key) in [
            (json!({"landuse": "forest"}), "landuse"),
            (json!({"leisure": "park", "name": "Municipal park"}), "leisure"),
            (json!({"highway": "pedestrian", "area": "yes"}), "highway"),
            (json!({"boundary": "administrative", "admin_level": "8"}), "boundary"),
            (json!({"amenity": "parking", "parking": "surface"}), "amenity"),
            (json!({"natural": "water"}), "natural"),
        ] {
            assert_eq!(verdict(properties.clone()), Verdict::Other(key), "{properties}");
        }
        for plain in [
            json!(null),
            json!({}),
            json!({"height": 7.3}),
            json!({"confidence": 0.8, "area_in_meters": 120}),
            json!({"name": "Rathaus", "addr:street": "Markt"}),
            json!({"amenity": null, "landuse": ""}),
        ] {
            assert_eq!(verdict(plain.clone()), Verdict::Untagged, "{plain}");
        }
    }
}
