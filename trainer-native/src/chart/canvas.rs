//! A white picture to draw lines, areas and text on, by plotters, with a font that is part of the program.
//!
//! Coordinates are the picture's pixels from its upper left corner. Everything is drawn at twice the size and then reduced, which
//! smooths edges.

use anyhow::{Context, Result, anyhow, ensure};
use plotters::coord::Shift;
use plotters::prelude::{BitMapBackend, BitMapElement, DrawingArea, IntoDrawingArea, PathElement, Polygon, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, FontTransform, IntoFont, RGBColor, ShapeStyle, TextStyle, WHITE, register_font};
use std::io::Cursor;

const FONT: &str = "report";
/// The drawn size over the picture's.
const OVERSAMPLING: u32 = 2;

/// A colour of red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rgb(pub u8, pub u8, pub u8);

impl Rgb {
    pub fn gray(level: u8) -> Self {
        Self(level, level, level)
    }

    fn plotted(self) -> RGBColor {
        RGBColor(self.0, self.1, self.2)
    }
}

/// Ink of text and axes.
pub const INK: Rgb = Rgb(40, 40, 40);
pub const GRID: Rgb = Rgb(222, 222, 222);
/// Of curves, in order: Okabe and Ito's, which colour-blind readers tell apart.
pub const COLORS: [Rgb; 8] = [
    Rgb(0, 114, 178),
    Rgb(213, 94, 0),
    Rgb(0, 158, 115),
    Rgb(204, 121, 167),
    Rgb(230, 159, 0),
    Rgb(86, 180, 233),
    Rgb(110, 80, 50),
    Rgb(90, 90, 90),
];

/// The side of a text that its position names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TextSide {
    Left,
    Center,
    Right,
}

pub struct Canvas<'a> {
    area: DrawingArea<BitMapBackend<'a>, Shift>,
}

/// Draws a picture and encodes it as PNG.
pub fn picture(width: u32, height: u32, draw: impl FnOnce(&Canvas) -> Result<()>) -> Result<Vec<u8>> {
    for (style, bytes) in [(FontStyle::Normal, dejavu::sans::regular()), (FontStyle::Bold, dejavu::sans::bold())] {
        ensure!(register_font(FONT, style, bytes).is_ok(), "the program's font cannot be read");
    }
    let (large_width, large_height) = (width * OVERSAMPLING, height * OVERSAMPLING);
    let mut pixels = vec![0; (large_width * large_height * 3) as usize];
    let area = BitMapBackend::with_buffer(&mut pixels, (large_width, large_height)).into_drawing_area();
    area.fill(&WHITE).map_err(|error| anyhow!("{error}"))?;
    let canvas = Canvas { area };
    draw(&canvas)?;
    canvas.area.present().map_err(|error| anyhow!("{error}"))?;
    drop(canvas);
    let mut png = Cursor::new(Vec::new());
    let reduced = reduced(&pixels, large_width as usize);
    image::write_buffer_with_format(&mut png, &reduced, width, height, image::ExtendedColorType::Rgb8, image::ImageFormat::Png)
        .context("encoding a figure")?;
    Ok(png.into_inner())
}

/// Means of squares of pixels, three bytes each.
fn reduced(pixels: &[u8], width: usize) -> Vec<u8> {
    let (n, row_bytes) = (OVERSAMPLING as usize, width * 3);
    let mut out = Vec::with_capacity(pixels.len() / (n * n));
    for rows in pixels.chunks_exact(row_bytes * n) {
        for column in 0..width / n {
            for channel in 0..3 {
                let at = |y: usize, x: usize| usize::from(rows[y * row_bytes + (column * n + x) * 3 + channel]);
                let sum: usize = (0..n * n).map(|i| at(i / n, i % n)).sum();
                out.push((sum / (n * n)) as u8);
            }
        }
    }
    out
}

fn placed((x, y): (f64, f64)) -> (i32, i32) {
    let large = |value: f64| (value * f64::from(OVERSAMPLING)).round() as i32;
    (large(x), large(y))
}

impl Canvas<'_> {
    /// A line through points, `width` pixels thick.
    pub fn line(&self, points: &[(f64, f64)], color: Rgb, width: f64) -> Result<()> {
        let style =
            ShapeStyle { color: color.plotted().to_rgba(), filled: false, stroke_width: (width * f64::from(OVERSAMPLING)).round() as u32 };
        let points: Vec<_> = points.iter().copied().map(placed).collect();
        self.area.draw(&PathElement::new(points, style)).map_err(|error| anyhow!("drawing a line: {error}"))
    }

    /// A line of dashes between two points.
    pub fn dashes(&self, from: (f64, f64), to: (f64, f64), color: Rgb, width: f64) -> Result<()> {
        const DASH: f64 = 6.0;
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let count = (dx.hypot(dy) / DASH).ceil().max(1.0) as usize;
        let at = |i: usize| {
            let share = (i as f64 / count as f64).min(1.0);
            (from.0 + share * dx, from.1 + share * dy)
        };
        (0..count).step_by(2).try_for_each(|i| self.line(&[at(i), at(i + 1)], color, width))
    }

    /// A filled area; `opacity` is 0 to 1.
    pub fn area(&self, points: &[(f64, f64)], color: Rgb, opacity: f64) -> Result<()> {
        let points: Vec<_> = points.iter().copied().map(placed).collect();
        self.area.draw(&Polygon::new(points, color.plotted().mix(opacity).filled())).map_err(|error| anyhow!("drawing an area: {error}"))
    }

    /// A filled rectangle between two corners.
    pub fn rectangle(&self, from: (f64, f64), to: (f64, f64), color: Rgb, opacity: f64) -> Result<()> {
        let corners = [placed(from), placed(to)];
        self.area
            .draw(&Rectangle::new(corners, color.plotted().mix(opacity).filled()))
            .map_err(|error| anyhow!("drawing a rectangle: {error}"))
    }

    /// A text whose vertical middle is at `at`.
    pub fn text(&self, text: &str, at: (f64, f64), size: f64, side: TextSide, color: Rgb) -> Result<()> {
        self.styled_text(text, at, self.style(size, FontStyle::Normal, side, color))
    }

    pub fn bold_text(&self, text: &str, at: (f64, f64), size: f64, side: TextSide) -> Result<()> {
        self.styled_text(text, at, self.style(size, FontStyle::Bold, side, INK))
    }

    /// A text from bottom to top around `at`.
    pub fn upright_text(&self, text: &str, at: (f64, f64), size: f64, color: Rgb) -> Result<()> {
        let style = self.style(size, FontStyle::Normal, TextSide::Center, color);
        let turned = TextStyle { font: style.font.clone().transform(FontTransform::Rotate270), ..style };
        self.styled_text(text, at, turned)
    }

    /// A square image with its upper left corner at `at`, one pixel a pixel.
    pub fn image(&self, at: (f64, f64), side: usize, pixels: &[Rgb]) -> Result<()> {
        let n = OVERSAMPLING as usize;
        let large = side * n;
        let color = |i: usize| pixels[i / large / n * side + i % large / n];
        let bytes: Vec<u8> = (0..large * large).map(color).flat_map(|Rgb(r, g, b)| [r, g, b]).collect();
        let image = BitMapElement::with_owned_buffer(placed(at), (large as u32, large as u32), bytes);
        let image = image.context("an image has a color for each of its pixels")?;
        self.area.draw(&image).map_err(|error| anyhow!("drawing an image: {error}"))
    }

    fn style(&self, size: f64, weight: FontStyle, side: TextSide, color: Rgb) -> TextStyle<'static> {
        let horizontal = match side {
            TextSide::Left => HPos::Left,
            TextSide::Center => HPos::Center,
            TextSide::Right => HPos::Right,
        };
        let style = TextStyle::from((FONT, size * f64::from(OVERSAMPLING), weight).into_font()).pos(Pos::new(horizontal, VPos::Center));
        TextStyle { color: color.plotted().to_backend_color(), ..style }
    }

    fn styled_text(&self, text: &str, at: (f64, f64), style: TextStyle) -> Result<()> {
        self.area.draw(&Text::new(text, placed(at), style)).map_err(|error| anyhow!("drawing a text: {error}"))
    }
}
