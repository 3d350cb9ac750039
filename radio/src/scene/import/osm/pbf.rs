//! OpenStreetMap's protocol buffers (.osm.pbf).

use super::{Elements, Member};
use crate::scene::import::error::SceneError;
use crate::scene::import::reading::Reading;
use crate::scene::tags::Tags;
use geo::Coord;
use osmpbf::{Element, ElementReader, RelMemberType};

/// Reads the elements of an extract.
pub(in crate::scene::import) fn read(bytes: &[u8], reading: &mut Reading) -> Result<(), SceneError> {
    reading.report.format = "OpenStreetMap PBF".into();
    let mut elements = Elements::default();
    let read = ElementReader::new(bytes).for_each(|element| match element {
        Element::Node(node) => {
            elements.nodes.insert(node.id(), Coord { x: node.lon(), y: node.lat() });
        }
        Element::DenseNode(node) => {
            elements.nodes.insert(node.id(), Coord { x: node.lon(), y: node.lat() });
        }
        Element::Way(way) => elements.way(way.id(), way.refs().collect(), &tags(way.tags()), reading),
        Element::Relation(relation) => {
            let ways = relation.members().filter(|member| member.member_type == RelMemberType::Way);
            let members = ways.map(|member| Member { way: member.member_id, is_inner: member.role().ok() == Some("inner") });
            elements.relation(relation.id(), &members.collect::<Vec<_>>(), &tags(relation.tags()), reading);
        }
    });
    read.map_err(|error| SceneError::Syntax {
        format: "OpenStreetMap PBF",
        reason: error.to_string(),
        advice: "check that the download is complete",
    })?;
    elements.finish(reading);
    Ok(())
}

fn tags<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Tags {
    Tags::new(pairs.map(|(key, value)| (key.into(), value.into())))
}
