//! What a building's walls are made of, as far as map data says it.

/// The materials that reflect differently enough to be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WallMaterial {
    Brick,
    Concrete,
    Glass,
    /// Marble, granite and other dense stone.
    Stone,
    Wood,
    Metal,
}

impl WallMaterial {
    pub const ALL: [Self; 6] = [Self::Brick, Self::Concrete, Self::Glass, Self::Stone, Self::Wood, Self::Metal];

    /// Its word in options and in OpenStreetMap's tag.
    pub fn name(self) -> &'static str {
        match self {
            Self::Brick => "brick",
            Self::Concrete => "concrete",
            Self::Glass => "glass",
            Self::Stone => "stone",
            Self::Wood => "wood",
            Self::Metal => "metal",
        }
    }

    /// Of OpenStreetMap's `building:material`; `None` for a value that says nothing of how a wall reflects (`plaster`, `mixed`).
    pub fn from_tag(value: &str) -> Option<Self> {
        Some(match value.trim().to_ascii_lowercase().as_str() {
            "brick" | "bricks" | "brickwork" | "clay" | "masonry" => Self::Brick,
            "concrete" | "reinforced_concrete" | "cement_block" | "cement_blocks" | "concrete_blocks" => Self::Concrete,
            "glass" | "mirror" => Self::Glass,
            "stone" | "granite" | "limestone" | "marble" | "sandstone" | "slate" => Self::Stone,
            "bamboo" | "log" | "timber_framing" | "wood" => Self::Wood,
            "aluminium" | "copper" | "corrugated_metal" | "metal" | "metal_plates" | "steel" | "tin" => Self::Metal,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::WallMaterial;

    #[test]
    fn materials_are_read_as_mappers_write_them() {
        for material in WallMaterial::ALL {
            assert_eq!(WallMaterial::from_tag(material.name()), Some(material));
        }
        for (value, material) in [
            ("brick", Some(WallMaterial::Brick)),
            (" Glass ", Some(WallMaterial::Glass)),
            ("cement_block", Some(WallMaterial::Concrete)),
            ("sandstone", Some(WallMaterial::Stone)),
            ("timber_framing", Some(WallMaterial::Wood)),
            ("steel", Some(WallMaterial::Metal)),
            ("plaster", None),
            ("brick;glass", None),
            ("", None),
        ] {
            assert_eq!(WallMaterial::from_tag(value), material, "{value:?}");
        }
    }
}
