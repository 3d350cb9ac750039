//! Maps side by side in one gray image: what a run shows of itself.

use std::io::Cursor;
use thiserror::Error;

/// Pixels between two maps.
const GAP: usize = 2;
const GAP_LEVEL: u8 = 255;

/// Maps of one size in rows and columns; gray levels, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct GrayGrid {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

/// Why there is no grid.
#[derive(Debug, Error, PartialEq)]
pub enum GridError {
    #[error("a grid of no maps, expected at least one")]
    Empty,
    #[error("map {column} of row {row} has {found} pixels, expected {side} x {side}")]
    Pixels { row: usize, column: usize, found: usize, side: usize },
}

impl GrayGrid {
    /// Rows of maps of `side` x `side` pixels, each row from left to right. A row that is shorter than the longest ends in white.
    ///
    /// # Errors
    /// No map at all, a map of another size.
    pub fn new(side: usize, rows: &[Vec<Vec<u8>>]) -> Result<Self, GridError> {
        let columns = rows.iter().map(Vec::len).max().filter(|&columns| columns > 0).ok_or(GridError::Empty)?;
        let length = |count: usize| count * side + (count - 1) * GAP;
        let (width, height) = (length(columns), length(rows.len()));
        let mut pixels = vec![GAP_LEVEL; width * height];
        for (row, maps) in rows.iter().enumerate() {
            for (column, map) in maps.iter().enumerate() {
                if map.len() != side * side {
                    return Err(GridError::Pixels { row, column, found: map.len(), side });
                }
                let corner = row * (side + GAP) * width + column * (side + GAP);
                for (y, line) in map.chunks_exact(side).enumerate() {
                    pixels[corner + y * width..][..side].copy_from_slice(line);
                }
            }
        }
        Ok(Self { width, height, pixels })
    }

    /// (width, height) in pixels.
    pub fn size(&self) -> (u32, u32) {
        (self.width as u32, self.height as u32)
    }

    /// The image as a PNG file.
    pub fn to_png(&self) -> image::ImageResult<Vec<u8>> {
        let mut bytes = Cursor::new(Vec::new());
        let (width, height) = self.size();
        image::write_buffer_with_format(&mut bytes, &self.pixels, width, height, image::ExtendedColorType::L8, image::ImageFormat::Png)?;
        Ok(bytes.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_lie_in_rows_with_gaps_between() {
        let maps = vec![vec![vec![1; 4], vec![2; 4]], vec![vec![3; 4]]];
        let grid = GrayGrid::new(2, &maps).expect("maps of one size");
        assert_eq!(grid.size(), (6, 6));
        let w = GAP_LEVEL;
        let expected = [[1, 1, w, w, 2, 2], [1, 1, w, w, 2, 2], [w; 6], [w; 6], [3, 3, w, w, w, w], [3, 3, w, w, w, w]];
        assert_eq!(grid.pixels, expected.concat());
    }

    #[test]
    fn maps_of_another_size_are_refused() {
        assert_eq!(GrayGrid::new(2, &[]), Err(GridError::Empty));
        let error = GrayGrid::new(2, &[vec![vec![0; 4], vec![0; 9]]]);
        assert_eq!(error, Err(GridError::Pixels { row: 0, column: 1, found: 9, side: 2 }));
    }
}
