//! OpenStreetMap's protocol buffers (.osm.pbf).
//!
//! The crate osmpbf reports what cannot be decoded, but panics at a relation's member of a type that the format does not have. A damaged
//! file must not end the program, so its panics are caught and become errors.

use super::{Elements, Member};
use crate::scene::import::error::SceneError;
use crate::scene::import::reading::Reading;
use crate::scene::tags::Tags;
use geo::Coord;
use osmpbf::{Element, ElementReader, RelMemberType};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Reads the elements of an extract.
pub(in crate::scene::import) fn read(bytes: &[u8], reading: &mut Reading) -> Result<(), SceneError> {
    reading.report.format = "OpenStreetMap PBF".into();
    let mut elements = Elements::default();
    let mut take = |element: Element| match element {
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
    };
    // After a panic neither the elements nor the reading are used any more.
    let reason = match catch_unwind(AssertUnwindSafe(|| ElementReader::new(bytes).for_each(&mut take))) {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some(String::from("a value that the format does not have")),
    };
    if let Some(reason) = reason {
        let (format, advice) = ("OpenStreetMap PBF", "check that the download is complete");
        return Err(SceneError::Syntax { format, reason, advice });
    }
    elements.finish(reading);
    Ok(())
}

fn tags<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Tags {
    Tags::new(pairs.map(|(key, value)| (key.into(), value.into())))
}
