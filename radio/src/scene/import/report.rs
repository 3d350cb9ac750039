//! What happened to a file on its way to a scene: read, left out, repaired, assumed.
//!
//! Every reader and every later step notes what it meets, feature by feature; what happened often is counted, and the first
//! features are named. In flow notes; out flows an [`ImportReport`] that prints as sentences and serialises for the page.

use crate::scene::{Building, LEVEL_HEIGHT_M};
use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};
use std::fmt;

/// So many features are named where there are no more; of more, only the first [`NAMED_OF_MANY`].
const NAMED: usize = 10;
const NAMED_OF_MANY: usize = 3;

/// What a file was and what became of its features.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ImportReport {
    /// The format that was recognised, in words: `GeoJSON`, `GeoJSON text sequence`, `OpenStreetMap XML`, `OpenStreetMap PBF`.
    pub format: String,
    /// Features in the file; of OpenStreetMap's formats, elements whose tags speak of a building.
    pub features: usize,
    /// Buildings on the map.
    pub buildings: usize,
    /// Where their heights come from.
    pub heights: HeightSources,
    /// Whether the file has elevations of the ground: third coordinates, or tags `ele`.
    pub elevations: bool,
    /// Groups of buildings that stand apart from each other (by about half a map's side and more), the largest first. Empty unless
    /// the map had to choose; then the first is where it stands.
    pub clusters: Vec<BuildingCluster>,
    /// Everything else that is worth knowing, in the order of its first occurrence.
    pub findings: Vec<Finding>,
    /// How often something was left out, parts of one feature counted each.
    #[serde(skip)]
    left_out: usize,
}

/// Where the heights of a map's buildings come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct HeightSources {
    /// Buildings with a height.
    pub stated: usize,
    /// Buildings whose storeys were counted.
    pub by_levels: usize,
    /// Buildings with neither.
    pub assumed: usize,
    /// What they were given, metres.
    pub default_m: f64,
}

/// Buildings that stand together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BuildingCluster {
    pub buildings: usize,
    /// Degrees east of the middle of the cluster's bounding box.
    pub lng: f64,
    /// Degrees north.
    pub lat: f64,
}

/// One kind of thing that happened, to how many features, and to which.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    pub kind: FindingKind,
    /// How many features; 1 for what concerns the file as a whole.
    pub count: usize,
    /// The first of them; none for what concerns the file as a whole. Of tags that were not understood, the first with each text.
    pub features: Vec<FeatureRef>,
    /// Of the first of them: where exactly, and what was found there. Of tags that were not understood, the text of each of `features`.
    pub details: Vec<String>,
    /// The feature that was counted last: its other parts are not counted again.
    last: FeatureRef,
}

/// Names a feature: by its position in the file (from 0), its id and its name, as far as it has them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FeatureRef {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What a finding means for the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// The feature, or a part of it, is not on the map.
    LeftOut,
    /// It is on the map, after a repair.
    Repaired,
    /// It is on the map as it was understood.
    Assumed,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// No geometry, or something that is none.
    NoGeometry,
    /// A geometry without a position.
    EmptyGeometry,
    /// A geometry that is not a Polygon, a MultiPolygon or a collection of these.
    NotAPolygon,
    /// A corner that is not a longitude and a latitude.
    BadCoordinates,
    /// Too few different corners, or no area.
    NoArea,
    /// A hole that cannot be used; its building is drawn without it.
    HoleLeftOut,
    /// Wider than any building.
    TooLarge,
    /// In a file of cars, longer or larger than any car, or without an area.
    NotACar,
    /// Tagged as something else than a building.
    NotABuilding,
    /// Below the ground.
    Underground,
    /// A roof without walls, or a part that hangs in the air.
    Open,
    /// Tagged as no building.
    NotStanding,
    /// Corners or ways that are not in the file.
    Cut,
    /// A feature or a line that cannot be parsed.
    Unreadable,
    /// Off the map.
    Outside,
    /// An outline that crosses itself.
    Crossing,
    /// An outline whose last corner is not its first.
    Unclosed,
    /// A height or a number of storeys that is no plain number in range.
    OddHeight,
    /// A `building:material` that says nothing of how a wall reflects.
    OddMaterial,
    /// Numbers written as text.
    TextNumbers,
    /// A type that is missing or spelt in another way.
    TypeAssumed,
    /// The text's encoding.
    Encoding,
    /// JSON with NaN, Infinity or commas too many.
    LooseJson,
    /// Where the map was put.
    Placed,
    /// The map reaches far beyond the buildings.
    OpenGround,
}

impl FindingKind {
    pub fn effect(self) -> Effect {
        use FindingKind as K;
        match self {
            K::Crossing | K::Unclosed => Effect::Repaired,
            K::OddHeight | K::OddMaterial | K::TextNumbers | K::TypeAssumed | K::Encoding | K::LooseJson | K::Placed | K::OpenGround => {
                Effect::Assumed
            }
            _ => Effect::LeftOut,
        }
    }

    /// Whether several texts are told, each with the first feature that has it: they are short and few.
    fn tells_texts(self) -> bool {
        matches!(self, Self::OddHeight | Self::OddMaterial)
    }

    /// What is said of one feature, and of several.
    fn words(self) -> (&'static str, &'static str) {
        use FindingKind as K;
        match self {
            K::NoGeometry => ("has no geometry and is not used", "have no geometry and are not used"),
            K::EmptyGeometry => ("has an empty geometry and is not used", "have an empty geometry and are not used"),
            K::NotAPolygon => ("is not a Polygon or MultiPolygon and is not used", "are not Polygons or MultiPolygons and are not used"),
            K::BadCoordinates => (
                "has a corner that cannot be read as longitude and latitude in degrees, and is not used",
                "have corners that cannot be read as longitude and latitude in degrees, and are not used",
            ),
            K::NoArea => ("has no area and is not used", "have no area and are not used"),
            K::HoleLeftOut => {
                ("has a hole that cannot be used and is drawn without it", "have holes that cannot be used and are drawn without")
            }
            K::TooLarge => ("is larger than any building and is not used", "are larger than any building and are not used"),
            K::NotACar => ("does not have a car's size and is not used", "do not have a car's size and are not used"),
            K::NotABuilding => (
                "is tagged as something else than a building and is not used",
                "are tagged as something else than a building and are not used",
            ),
            K::Underground => ("lies underground and is not used", "lie underground and are not used"),
            K::Open => ("is a roof without walls and is not used", "are roofs without walls and are not used"),
            K::NotStanding => ("is tagged as no building and is not used", "are tagged as no building and are not used"),
            K::Cut => ("is cut off in the file and is not used", "are cut off in the file and are not used"),
            K::Unreadable => ("cannot be read and is not used", "cannot be read and are not used"),
            K::Outside => ("lies outside the map and is not used", "lie outside the map and are not used"),
            K::Crossing => (
                "crosses itself; it was repaired by the even-odd rule, check its outline",
                "cross themselves; they were repaired by the even-odd rule, check their outlines",
            ),
            K::Unclosed => ("has an outline that is not closed; it was closed", "have outlines that are not closed; they were closed"),
            K::OddHeight => ("has a height that is no plain number of metres", "have heights that are no plain numbers of metres"),
            K::OddMaterial => (
                "has walls of a material that is not known, and counts as without one",
                "have walls of materials that are not known, and count as without one",
            ),
            K::TextNumbers => (
                "has coordinates written as text; they were read as numbers",
                "have coordinates written as text; they were read as numbers",
            ),
            K::TypeAssumed => {
                ("has no proper type; it was taken for what it looks like", "have no proper type; they were taken for what they look like")
            }
            K::Encoding | K::LooseJson | K::Placed | K::OpenGround => ("", ""),
        }
    }
}

impl fmt::Display for FeatureRef {
    /// `7 (Bakery, way/12)` by position, `way/12 (Bakery)` without one.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let labels = [self.index.map(|index| index.to_string()), self.name.clone(), self.id.clone()];
        let order = if self.index.is_some() { [0, 1, 2] } else { [0, 2, 1] };
        let mut labels = order.into_iter().filter_map(|i| labels[i].clone());
        let first = labels.next().unwrap_or_else(|| "without a name".into());
        let others: Vec<String> = labels.collect();
        if others.is_empty() { write!(f, "{first}") } else { write!(f, "{first} ({})", others.join(", ")) }
    }
}

impl fmt::Display for Finding {
    /// One sentence without a full stop: `feature 7 (Bakery) has no geometry and is not used`, or
    /// `312 features have no geometry and are not used: features 3, 8, 12 and 309 more`.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (one, many) = self.kind.words();
        let detail = self.details.join("; ");
        let numbered = self.features.iter().all(|feature| feature.index.is_some());
        match &self.features[..] {
            [] => write!(f, "{detail}"),
            [feature] if self.count == 1 => {
                write!(f, "{}{feature} {one}", if numbered { "feature " } else { "" })?;
                if detail.is_empty() { Ok(()) } else { write!(f, ": {detail}") }
            }
            named if self.kind.tells_texts() => {
                write!(f, "{} {} {many}", self.count, if numbered { "features" } else { "elements" })?;
                for (i, (feature, text)) in named.iter().zip(&self.details).enumerate() {
                    write!(f, "{} {}{feature}: {text}", if i == 0 { ":" } else { ";" }, if numbered { "feature " } else { "" })?;
                }
                match self.count - named.len() {
                    0 => Ok(()),
                    1 => write!(f, "; and 1 other"),
                    others => write!(f, "; and {others} others"),
                }
            }
            named => {
                let shown = if self.count <= named.len() { named.len() } else { NAMED_OF_MANY.min(named.len()) };
                let mut names: Vec<String> = named[..shown].iter().map(ToString::to_string).collect();
                if self.count > shown {
                    names.push(format!("{} more", self.count - shown));
                }
                let last = names.pop().unwrap_or_default();
                let prefix = if numbered { "features " } else { "" };
                let noun = if numbered { "features" } else { "elements" };
                write!(f, "{} {noun} {many}: {prefix}{} and {last}", self.count, names.join(", "))?;
                match detail.as_str() {
                    "" => Ok(()),
                    _ => write!(f, " ({}: {detail})", named[0]),
                }
            }
        }
    }
}

impl Serialize for Finding {
    /// `{ kind, effect, count, features, message }`; `message` is the sentence for people.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Finding", 5)?;
        fields.serialize_field("kind", &self.kind)?;
        fields.serialize_field("effect", &self.kind.effect())?;
        fields.serialize_field("count", &self.count)?;
        fields.serialize_field("features", &self.features)?;
        fields.serialize_field("message", &self.to_string())?;
        fields.end()
    }
}

impl HeightSources {
    /// Counts the buildings of a map.
    pub(crate) fn of(buildings: &[Building], default_m: f64) -> Self {
        let mut sources = Self { default_m, ..Self::default() };
        for building in buildings {
            let counted = match (building.height_m, building.levels) {
                (Some(_), _) => &mut sources.stated,
                (None, Some(_)) => &mut sources.by_levels,
                (None, None) => &mut sources.assumed,
            };
            *counted += 1;
        }
        sources
    }

    /// A sentence without a full stop on the heights that the file does not give; `None` where it gives them all.
    pub fn assumption(&self) -> Option<String> {
        self.assumption_by(&format!("taken as {} m", self.default_m))
    }

    /// The same where buildings with neither height nor storeys are treated in another way.
    pub fn assumption_by(&self, treatment: &str) -> Option<String> {
        let Self { stated, by_levels, assumed, .. } = *self;
        let noun = if stated + by_levels + assumed == 1 { "building" } else { "buildings" };
        let by_storeys = format!("{by_levels} from storeys of {LEVEL_HEIGHT_M} m");
        let by_default = format!("{assumed} {treatment}");
        let how = match (by_levels, assumed) {
            (0, 0) => return None,
            (_, 0) => by_storeys,
            (0, _) => by_default,
            _ => format!("{by_storeys}, {by_default}"),
        };
        Some(format!("the heights of {} of {} {noun} are assumed: {how}", by_levels + assumed, stated + by_levels + assumed))
    }
}

impl ImportReport {
    /// The findings as sentences, but for [`Self::unknown_materials`].
    pub fn warnings(&self) -> Vec<String> {
        self.findings.iter().filter(|finding| finding.kind != FindingKind::OddMaterial).map(ToString::to_string).collect()
    }

    /// The sentence that walls have materials that are not known; only ray tracing asks for them.
    pub fn unknown_materials(&self) -> Option<String> {
        self.findings.iter().find(|finding| finding.kind == FindingKind::OddMaterial).map(ToString::to_string)
    }

    /// What was assumed of heights, in sentences: buildings without one, and ground that is not flat.
    pub fn assumptions(&self) -> Vec<String> {
        self.heights.assumption().into_iter().chain(self.unused_elevations()).collect()
    }

    /// The sentence that elevations of the ground are not used, of a file that has them.
    pub fn unused_elevations(&self) -> Option<String> {
        let terrain = "the file has elevations, which are not used: terrain is not modelled, the ground counts as flat";
        self.elevations.then(|| terrain.into())
    }

    /// Notes what happened to a feature. Features of one kind are counted together.
    pub(crate) fn note(&mut self, kind: FindingKind, feature: &FeatureRef, detail: impl Into<String>) {
        self.left_out += usize::from(kind.effect() == Effect::LeftOut);
        let detail = detail.into();
        match self.findings.iter_mut().find(|finding| finding.kind == kind && !finding.features.is_empty()) {
            // A feature may have several parts with the same fate.
            Some(finding) if finding.last == *feature => {}
            Some(finding) => {
                finding.count += 1;
                finding.last = feature.clone();
                if finding.features.len() == NAMED || (kind.tells_texts() && finding.details.contains(&detail)) {
                    return;
                }
                finding.features.push(feature.clone());
                if kind.tells_texts() {
                    finding.details.push(detail);
                }
            }
            None => self.findings.push(Finding {
                kind,
                count: 1,
                features: vec![feature.clone()],
                details: if detail.is_empty() { Vec::new() } else { vec![detail] },
                last: feature.clone(),
            }),
        }
    }

    /// Grows whenever something of a feature is left out.
    pub(crate) fn left_out(&self) -> usize {
        self.left_out
    }

    /// Notes what concerns the file as a whole, in a sentence.
    pub(crate) fn note_file(&mut self, kind: FindingKind, sentence: impl Into<String>) {
        let (features, last) = (Vec::new(), FeatureRef::default());
        self.findings.push(Finding { kind, count: 1, features, details: vec![sentence.into()], last });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feature(index: usize) -> FeatureRef {
        FeatureRef { index: Some(index), ..FeatureRef::default() }
    }

    #[test]
    fn one_is_named_a_few_are_listed_and_many_are_counted() {
        let mut report = ImportReport::default();
        let bakery = FeatureRef { name: Some("Bakery".into()), ..feature(7) };
        report.note(FindingKind::BadCoordinates, &bakery, "point 2 is [null,null]");
        let sentence = report.warnings().remove(0);
        assert!(sentence.starts_with("feature 7 (Bakery) has a corner that cannot be read"), "{sentence}");
        assert!(sentence.ends_with(": point 2 is [null,null]"), "{sentence}");
        for index in 0..3 {
            report.note(FindingKind::NoGeometry, &feature(index), "");
        }
        assert_eq!(report.warnings()[1], "3 features have no geometry and are not used: features 0, 1 and 2");
        for index in 3..312 {
            report.note(FindingKind::NoGeometry, &feature(index), "");
        }
        assert_eq!(report.warnings()[1], "312 features have no geometry and are not used: features 0, 1, 2 and 309 more");
        assert_eq!(report.findings[1].features.len(), NAMED);
    }

    #[test]
    fn texts_beyond_the_tenth_are_counted() {
        let mut report = ImportReport::default();
        for index in 0..13 {
            report.note(FindingKind::OddHeight, &feature(index), format!("height is \"{index}'\", not used"));
        }
        let sentence = report.warnings().remove(0);
        assert!(sentence.starts_with("13 features have heights"), "{sentence}");
        assert!(sentence.ends_with("; feature 9: height is \"9'\", not used; and 3 others"), "{sentence}");
    }

    #[test]
    fn assumed_heights_are_counted_in_a_sentence() {
        let building = |height_m, levels| Building { footprint: geo::polygon![], height_m, levels, material: None };
        let (stated, levels, bare) = (building(Some(9.0), Some(2.0)), building(None, Some(2.0)), building(None, None));
        let said = |buildings: &[&Building]| {
            let buildings: Vec<Building> = buildings.iter().copied().cloned().collect();
            HeightSources::of(&buildings, 25.0).assumption()
        };
        assert_eq!(said(&[&stated, &stated]), None);
        assert_eq!(said(&[&bare]).as_deref(), Some("the heights of 1 of 1 building are assumed: 1 taken as 25 m"));
        assert_eq!(
            said(&[&stated, &levels, &bare, &bare]).as_deref(),
            Some("the heights of 3 of 4 buildings are assumed: 1 from storeys of 3 m, 2 taken as 25 m")
        );
    }

    #[test]
    fn a_report_serialises_with_kinds_for_machines_and_sentences_for_people() {
        let mut report = ImportReport { format: "GeoJSON".into(), ..ImportReport::default() };
        report.note(FindingKind::Underground, &FeatureRef { id: Some("way/901".into()), ..FeatureRef::default() }, "");
        let json = serde_json::to_value(&report).expect("serialises");
        assert_eq!(json["findings"][0]["kind"], "underground");
        assert_eq!(json["findings"][0]["effect"], "left-out");
        assert_eq!(json["findings"][0]["message"], "way/901 lies underground and is not used");
        assert_eq!(json["findings"][0]["features"][0], serde_json::json!({"id": "way/901"}));
    }
}
