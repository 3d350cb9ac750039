//! Windows of tokens that attend to each other, and their shift (Liu et al., 2021).

use crate::engine::{Engine, Padding};

/// Added to the logits of tokens that only the shift made neighbours.
const MASKED: f32 = -100.0;

/// The windows of a stage's tokens (N, H, W, C), for its blocks with a shift or for those without. Sizes decide everything here, so
/// the mask is computed once, on the host.
pub struct ShiftedWindows<E: Engine> {
    window: usize,
    /// Rows and columns after zero padding at the bottom and on the right to whole windows.
    padded: [usize; 2],
    /// Tokens by which the windows are moved down and to the right; 0 along a side with one window.
    shift: [usize; 2],
    /// (windows, 1, window^2, window^2), values 0 and [`MASKED`]; none without a shift.
    mask: Option<E::Tensor>,
}

impl<E: Engine> ShiftedWindows<E> {
    /// For maps of `size` (rows, columns) tokens.
    pub fn new(e: &E, size: [usize; 2], window: usize, shifted: bool) -> Self {
        let padded = size.map(|n| n.next_multiple_of(window));
        let shift = padded.map(|n| if shifted && n > window { window / 2 } else { 0 });
        let mut windows = Self { window, padded, shift, mask: None };
        if shift != [0, 0] {
            let tokens = window * window;
            windows.mask = Some(e.tensor(&windows.mask_values(), &[windows.count(), 1, tokens, tokens]));
        }
        windows
    }

    /// Windows of a map.
    pub fn count(&self) -> usize {
        self.padded.iter().map(|n| n / self.window).product()
    }

    /// After the shift the last windows hold tokens of both ends of the map; only tokens of the same end may attend to each other.
    fn mask_values(&self) -> Vec<f32> {
        let part = |axis: usize, place: usize| {
            let (n, shift) = (self.padded[axis], self.shift[axis]);
            if shift == 0 { 0 } else { usize::from(place >= n - self.window) + usize::from(place >= n - shift) }
        };
        let columns = self.padded[1] / self.window;
        let tokens = self.window * self.window;
        let mut values = Vec::with_capacity(self.count() * tokens * tokens);
        for window in 0..self.count() {
            let region = |token: usize| {
                let row = window / columns * self.window + token / self.window;
                (part(0, row), part(1, window % columns * self.window + token % self.window))
            };
            for query in 0..tokens {
                values.extend((0..tokens).map(|key| if region(query) == region(key) { 0.0 } else { MASKED }));
            }
        }
        values
    }

    /// Side of a window in tokens.
    pub fn side(&self) -> usize {
        self.window
    }

    /// The mask that is added to the logits of attention, if there is one.
    pub fn mask(&self) -> Option<&E::Tensor> {
        self.mask.as_ref()
    }

    /// (N, H, W, C) -> (N windows, window^2, C).
    pub fn split(&self, e: &E, x: &E::Tensor) -> E::Tensor {
        let (shape, [height, width]) = (e.shape(x), self.padded);
        let (batch, channels) = (shape[0], shape[3]);
        let flat = e.reshape(x, &[batch, shape[1], shape[2] * channels]);
        let missing = Padding { bottom: height - shape[1], right: (width - shape[2]) * channels, ..Padding::default() };
        let flat = if missing == Padding::default() { flat } else { e.pad(&flat, missing) };
        let x = e.reshape(&flat, &[batch, height, width, channels]);
        let x = roll(e, &roll(e, &x, 1, self.shift[0]), 2, self.shift[1]);
        let (window, tokens) = (self.window, self.window * self.window);
        let x = e.reshape(&x, &[batch, height / window, window, width / window, window, channels]);
        e.reshape(&e.permute(&x, &[0, 1, 3, 2, 4, 5]), &[batch * self.count(), tokens, channels])
    }

    /// Undoes [`Self::split`]; `size` is the number of tokens (rows, columns) before padding.
    pub fn join(&self, e: &E, x: &E::Tensor, size: [usize; 2]) -> E::Tensor {
        let (shape, [height, width], window) = (e.shape(x), self.padded, self.window);
        let (batch, channels) = (shape[0] / self.count(), shape[2]);
        let x = e.reshape(x, &[batch, height / window, width / window, window, window, channels]);
        let x = e.reshape(&e.permute(&x, &[0, 1, 3, 2, 4, 5]), &[batch, height, width, channels]);
        // Rolling on to a whole turn undoes the shift.
        let x = roll(e, &roll(e, &x, 1, (height - self.shift[0]) % height), 2, (width - self.shift[1]) % width);
        (1..=2).fold(x, |x, dim| if size[dim - 1] < self.padded[dim - 1] { e.narrow(&x, dim, 0, size[dim - 1]) } else { x })
    }
}

/// Moves everything `by` places towards the beginning of `dim`, cyclically.
fn roll<E: Engine>(e: &E, x: &E::Tensor, dim: usize, by: usize) -> E::Tensor {
    if by == 0 {
        return x.clone();
    }
    let n = e.shape(x)[dim];
    e.concat(&[&e.narrow(x, dim, by, n - by), &e.narrow(x, dim, 0, by)], dim)
}
