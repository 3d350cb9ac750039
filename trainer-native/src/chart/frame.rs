//! A frame with two axes, and what is drawn in it.

use super::axis::{Axis, number};
use super::canvas::{Canvas, GRID, INK, Rgb, TextSide};
use super::curve::CurveBin;
use anyhow::Result;

/// Sizes of texts, in pixels.
const TITLE: f64 = 21.0;
const LABEL: f64 = 17.0;
const TICK: f64 = 15.0;

/// A rectangle of a picture, in its pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rect {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

/// A rectangle of a picture whose sides are axes.
#[derive(Clone, Copy, Debug)]
pub struct ChartFrame {
    pub rect: Rect,
    pub x: Axis,
    pub y: Axis,
}

impl Rect {
    /// The part (column, row) of columns x rows equal parts, without the room for titles and labels.
    pub fn cell(width: f64, height: f64, (columns, rows): (usize, usize), (column, row): (usize, usize)) -> Self {
        const HEAD: f64 = 64.0;
        let (w, h) = (width / columns as f64, (height - HEAD) / rows as f64);
        let (left, top) = (column as f64 * w, HEAD + row as f64 * h);
        Self { left: left + 96.0, top: top + 34.0, right: left + w - 26.0, bottom: top + h - 64.0 }
    }
}

impl ChartFrame {
    /// Where values lie in the picture.
    pub fn at(&self, x: f64, y: f64) -> (f64, f64) {
        let Rect { left, top, right, bottom } = self.rect;
        (left + self.x.place(x) * (right - left), bottom - self.y.place(y) * (bottom - top))
    }

    /// Grid, ticks, title and labels.
    pub fn draw(&self, canvas: &Canvas, title: &str, x_label: &str, y_label: &str) -> Result<()> {
        let Rect { left, top, right, bottom } = self.rect;
        for tick in self.x.ticks(((right - left) / 110.0) as usize) {
            let (x, _) = self.at(tick, self.y.low);
            canvas.line(&[(x, top), (x, bottom)], GRID, 1.0)?;
            canvas.text(&number(tick), (x, bottom + 16.0), TICK, TextSide::Center, INK)?;
        }
        for tick in self.y.ticks(((bottom - top) / 55.0) as usize) {
            let (_, y) = self.at(self.x.low, tick);
            canvas.line(&[(left, y), (right, y)], GRID, 1.0)?;
            canvas.text(&number(tick), (left - 8.0, y), TICK, TextSide::Right, INK)?;
        }
        canvas.line(&[(left, top), (left, bottom), (right, bottom)], INK, 1.0)?;
        canvas.bold_text(title, (left, top - 18.0), TITLE, TextSide::Left)?;
        canvas.text(x_label, ((left + right) / 2.0, bottom + 42.0), LABEL, TextSide::Center, INK)?;
        canvas.upright_text(y_label, (left - 84.0, (top + bottom) / 2.0), LABEL, INK)
    }

    /// A second vertical axis, `offset` pixels right of the frame, for the values of `axis`.
    pub fn right_axis(&self, canvas: &Canvas, axis: &Axis, offset: f64, label: &str, color: Rgb) -> Result<()> {
        let Rect { top, right, bottom, .. } = self.rect;
        let x = right + offset;
        let frame = Self { y: *axis, ..*self };
        canvas.line(&[(x, top), (x, bottom)], color, 1.5)?;
        for tick in axis.ticks(((bottom - top) / 55.0) as usize) {
            let (_, y) = frame.at(self.x.low, tick);
            canvas.line(&[(x, y), (x + 5.0, y)], color, 1.5)?;
            canvas.text(&number(tick), (x + 9.0, y), TICK, TextSide::Left, color)?;
        }
        canvas.upright_text(label, (x + 84.0, (top + bottom) / 2.0), LABEL, color)
    }

    /// The full height between two steps, in a pale colour.
    pub fn shade(&self, canvas: &Canvas, from: f64, to: f64, color: Rgb, opacity: f64) -> Result<()> {
        let ((left, _), (right, _)) = (self.at(from, self.y.low), self.at(to, self.y.low));
        canvas.rectangle((left, self.rect.top), (right, self.rect.bottom), color, opacity)
    }

    /// A curve's pieces: the range of its values, pale, and its trend. A piece of one bin is a dot.
    pub fn curve(&self, canvas: &Canvas, pieces: &[Vec<CurveBin>], color: Rgb) -> Result<()> {
        const RANGE_OPACITY: f64 = 0.22;
        const TREND_WIDTH: f64 = 2.0;
        for piece in pieces {
            let edge = |value: fn(&CurveBin) -> f64| piece.iter().map(move |bin| self.at(bin.step, value(bin)));
            let trend: Vec<_> = edge(|bin| bin.trend).collect();
            if let [(x, y)] = trend[..] {
                canvas.rectangle((x - 2.0, y - 2.0), (x + 2.0, y + 2.0), color, 1.0)?;
                continue;
            }
            if piece.iter().any(|bin| bin.high > bin.low) {
                let range: Vec<_> = edge(|bin| bin.high).chain(edge(|bin| bin.low).collect::<Vec<_>>().into_iter().rev()).collect();
                canvas.area(&range, color, RANGE_OPACITY)?;
            }
            canvas.line(&trend, color, TREND_WIDTH)?;
        }
        Ok(())
    }

    /// An upright line at a step, with a label at its top.
    pub fn mark(&self, canvas: &Canvas, step: f64, label: &str, color: Rgb) -> Result<()> {
        let (x, _) = self.at(step, self.y.low);
        canvas.dashes((x, self.rect.top), (x, self.rect.bottom), color, 2.0)?;
        // On the side that has more room.
        let (side, shift) = if self.x.place(step) < 0.6 { (TextSide::Left, 8.0) } else { (TextSide::Right, -8.0) };
        canvas.text(label, (x + shift, self.rect.top + 14.0), LABEL, side, color)
    }

    /// A remark in the lower right corner.
    pub fn remark(&self, canvas: &Canvas, text: &str) -> Result<()> {
        canvas.text(text, (self.rect.right - 6.0, self.rect.bottom - 12.0), TICK, TextSide::Right, INK)
    }
}
