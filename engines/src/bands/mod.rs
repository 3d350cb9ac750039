//! One network on several CPU engines: each member of a team computes a band of rows of every large image.
//!
//! Every member runs the whole network on the same values, and all call the same operations in the same order. A tensor is whole on every
//! member, or each has an equal part of one of its dimensions. Convolutions of whole images make bands, with the neighbours' border rows;
//! normalisations add up what the members counted; operations that need more than a band put the whole together first. So what is read is
//! the same on all members, and differs from one engine's result by rounding alone.
//!
//! Members exchange values by a [`Team`]: in a browser through memory that two workers share. Without one an engine computes alone.

#[cfg(all(target_arch = "wasm32", feature = "shared-memory"))]
pub mod shared_memory;

use crate::cpu::{CpuEngine, CpuTensor, Moments};
use radiodiff_core::engine::{Binary, ConvGeometry, Engine, EngineError, Padding, Unary, shape};
use std::cell::RefCell;

/// Images with fewer rows a member are computed whole by each: an exchange would take longer.
const LEAST_ROWS: usize = 16;

/// The members that share a network, as one of them sees them.
pub trait Team: 'static {
    /// At least 1.
    fn members(&self) -> usize;
    /// This member among them, from 0.
    fn rank(&self) -> usize;
    /// Gives `sent` to all members and fills `received` with what each has sent, in the order of their ranks. All send as many values.
    ///
    /// # Errors
    /// In words, where a member is gone.
    fn gather(&self, sent: &[f32], received: &mut [f32]) -> Result<(), String>;
}

/// A tensor that is whole, or of which this member has its part of one dimension, which the number of members divides.
#[derive(Clone)]
pub struct BandTensor {
    own: CpuTensor,
    split: Option<usize>,
    members: usize,
}

impl BandTensor {
    fn shape(&self) -> Vec<usize> {
        let mut shape = self.own.shape().to_vec();
        if let Some(dim) = self.split {
            shape[dim] *= self.members;
        }
        shape
    }
}

/// An [`Engine`] on one thread of the CPU, which shares its work where there is a team.
pub struct BandEngine {
    cpu: CpuEngine,
    least_rows: usize,
    team: RefCell<Option<Box<dyn Team>>>,
    /// Why values were not exchanged; what is computed afterwards means nothing.
    failure: RefCell<Option<String>>,
}

impl Default for BandEngine {
    fn default() -> Self {
        Self::with_least_rows(LEAST_ROWS)
    }
}

impl BandEngine {
    /// An engine that computes alone.
    pub fn new() -> Self {
        Self::default()
    }

    /// As [`Self::new`], for images that have so many rows a member: tests have small ones.
    pub fn with_least_rows(least_rows: usize) -> Self {
        Self { cpu: CpuEngine::new(), least_rows, team: RefCell::default(), failure: RefCell::default() }
    }

    /// Joins a team, or leaves it. Tensors from before must be whole, as parameters are.
    pub fn join(&self, team: Option<Box<dyn Team>>) {
        self.team.replace(team);
        self.failure.replace(None);
    }

    /// Replaces the values of every member by those of the first; alone it changes nothing. All members have as many.
    ///
    /// # Errors
    /// A member that is gone.
    pub fn share(&self, values: &mut [f32]) -> Result<(), EngineError> {
        if self.is_shared() {
            let received = self.gather(values);
            self.check()?;
            values.copy_from_slice(&received[..values.len()]);
        }
        Ok(())
    }

    /// # Errors
    /// Values that were not exchanged.
    fn check(&self) -> Result<(), EngineError> {
        self.failure.borrow().as_ref().map_or(Ok(()), |reason| Err(EngineError::Failed { reason: reason.clone() }))
    }

    /// Whether the engine has joined a team.
    pub fn is_shared(&self) -> bool {
        self.team.borrow().is_some()
    }

    /// How many members there are, and which one this is.
    fn place(&self) -> (usize, usize) {
        self.team.borrow().as_ref().map_or((1, 0), |team| (team.members(), team.rank()))
    }

    fn whole_tensor(own: CpuTensor) -> BandTensor {
        BandTensor { own, split: None, members: 1 }
    }

    fn banded(&self, own: CpuTensor, split: Option<usize>) -> BandTensor {
        BandTensor { own, split, members: self.place().0 }
    }

    /// What every member sends, in the order of their ranks. After a failure, zeros.
    fn gather(&self, sent: &[f32]) -> Vec<f32> {
        let mut received = vec![0.0; sent.len() * self.place().0];
        if self.failure.borrow().is_none()
            && let Some(team) = &*self.team.borrow()
            && let Err(reason) = team.gather(sent, &mut received)
        {
            self.failure.replace(Some(reason));
        }
        received
    }

    /// The tensor on every member.
    fn whole(&self, x: &BandTensor) -> CpuTensor {
        let Some(dim) = x.split else { return x.own.clone() };
        let received = self.gather(x.own.values());
        let parts: Vec<CpuTensor> = received.chunks_exact(x.own.values().len()).map(|part| self.cpu.tensor(part, x.own.shape())).collect();
        self.cpu.concat(&parts.iter().collect::<Vec<_>>(), dim)
    }

    /// This member's part of a dimension.
    fn part(&self, x: &CpuTensor, dim: usize) -> CpuTensor {
        let (members, rank) = self.place();
        let len = x.shape()[dim] / members;
        self.cpu.narrow(x, dim, rank * len, len)
    }

    /// This member's part of dimension `dim` of any tensor.
    fn split_at(&self, x: &BandTensor, dim: usize) -> CpuTensor {
        if x.split == Some(dim) { x.own.clone() } else { self.part(&self.whole(x), dim) }
    }

    /// An operation that treats all elements along the split dimension alike.
    fn alike(&self, x: &BandTensor, apply: impl FnOnce(&CpuTensor) -> CpuTensor) -> BandTensor {
        self.banded(apply(&x.own), x.split)
    }

    /// An operation along the dimensions for which `along` holds: on the bands where they are split elsewhere, else on the whole.
    fn along(&self, x: &BandTensor, along: impl FnOnce(usize) -> bool, apply: impl FnOnce(&CpuTensor) -> CpuTensor) -> BandTensor {
        match x.split {
            Some(dim) if !along(dim) => self.alike(x, apply),
            _ => Self::whole_tensor(apply(&self.whole(x))),
        }
    }

    /// Whether images of this height are computed in bands.
    fn is_banded(&self, height: usize) -> bool {
        let (members, _) = self.place();
        members > 1 && height.is_multiple_of(members) && height / members >= self.least_rows
    }

    /// Rows `first..end` of an image (N, C, H, W), which lie around this member's band: its own, and its neighbours' border rows.
    /// `borders` are the most rows above and below a band that any member needs. `None` where a neighbour's band has not as many.
    fn rows(&self, x: &BandTensor, [first, end]: [usize; 2], borders: [usize; 2]) -> Option<CpuTensor> {
        if x.split != Some(2) {
            return Some(self.cpu.narrow(&self.whole(x), 2, first, end - first));
        }
        let (members, rank) = self.place();
        let &[n, channels, height, width] = x.own.shape() else { return None };
        let [above, below] = borders;
        if above > height || below > height {
            return None;
        }
        if above + below == 0 && end - first == height {
            return Some(x.own.clone());
        }
        // The last rows for the band below, and the first for the band above.
        let (lowest, topmost) = (self.cpu.narrow(&x.own, 2, height - above, above), self.cpu.narrow(&x.own, 2, 0, below));
        let border_shape = [n, channels, above + below, width];
        let received = if above + below > 0 { self.gather(self.cpu.concat(&[&lowest, &topmost], 2).values()) } else { Vec::new() };
        let border = |member: usize, start: usize, len: usize| {
            let sent = n * channels * (above + below) * width;
            self.cpu.narrow(&self.cpu.tensor(&received[member * sent..][..sent], &border_shape), 2, start, len)
        };
        let (own_first, own_end) = (rank * height, (rank + 1) * height);
        let mut parts = Vec::new();
        if first < own_first {
            let wanted = own_first - first;
            parts.push(border(rank - 1, above - wanted, wanted));
        }
        let (from, to) = (first.max(own_first), end.min(own_end));
        parts.push(if to - from == height { x.own.clone() } else { self.cpu.narrow(&x.own, 2, from - own_first, to - from) });
        if end > own_end {
            parts.push(border(rank + 1, above, end - own_end));
        }
        debug_assert!(first + above >= own_first && end <= own_end + below && rank < members);
        Some(self.cpu.concat(&parts.iter().collect::<Vec<_>>(), 2))
    }

    fn group_moments(&self, x: &BandTensor, groups: usize) -> Vec<Moments> {
        let own = self.cpu.group_moments(&x.own, groups);
        if x.split.is_none() {
            return own;
        }
        let sent: Vec<f32> = own.iter().flat_map(|moments| [moments.mean, moments.variance]).collect();
        let received = self.gather(&sent);
        let of_members = |group: usize| {
            received.chunks_exact(sent.len()).map(move |sent| Moments { mean: sent[2 * group], variance: sent[2 * group + 1] })
        };
        (0..own.len()).map(|group| Moments::of_equal_parts(of_members(group))).collect()
    }

    fn normalized(&self, x: &BandTensor, groups: usize, scaling: [&BandTensor; 2], epsilon: f32, silu: bool) -> BandTensor {
        // A band of channels does not hold every group.
        let x = if x.split.is_some_and(|dim| dim < 2) { Self::whole_tensor(self.whole(x)) } else { x.clone() };
        let moments = self.group_moments(&x, groups);
        let [weight, bias] = scaling.map(|scaling| self.whole(scaling));
        self.alike(&x, |own| self.cpu.group_norm_by(own, &moments, [&weight, &bias], epsilon, silu))
    }
}

/// The dimension of `to` that is split where dimension `split` of `from` is, if a reshape leaves every member's values together.
fn split_after_reshape(from: &[usize], split: usize, to: &[usize], members: usize) -> Option<usize> {
    let before: usize = from[..split].iter().product();
    (0..to.len()).find(|&dim| to[..dim].iter().product::<usize>() == before && to[dim].is_multiple_of(members))
}

impl Engine for BandEngine {
    type Tensor = BandTensor;

    fn tensor(&self, values: &[f32], shape: &[usize]) -> BandTensor {
        Self::whole_tensor(self.cpu.tensor(values, shape))
    }
    async fn read(&self, x: &BandTensor) -> Result<Vec<f32>, EngineError> {
        let whole = self.whole(x);
        self.check()?;
        Ok(whole.values().to_vec())
    }
    fn shape(&self, x: &BandTensor) -> Vec<usize> {
        x.shape()
    }

    fn unary(&self, op: Unary, x: &BandTensor) -> BandTensor {
        self.alike(x, |x| self.cpu.unary(op, x))
    }
    fn binary(&self, op: Binary, a: &BandTensor, b: &BandTensor) -> BandTensor {
        let out = shape::broadcast(&a.shape(), &b.shape());
        let from_the_right = |x: &BandTensor| x.split.map(|dim| x.own.shape().len() - dim);
        let Some(right) = from_the_right(a).or(from_the_right(b)) else {
            return Self::whole_tensor(self.cpu.binary(op, &a.own, &b.own));
        };
        let [a, b] = [a, b].map(|x| {
            let shape = x.shape();
            match shape.len().checked_sub(right) {
                Some(dim) if shape[dim] > 1 => self.split_at(x, dim),
                _ => self.whole(x),
            }
        });
        self.banded(self.cpu.binary(op, &a, &b), Some(out.len() - right))
    }
    fn affine(&self, x: &BandTensor, scale: f32, shift: f32) -> BandTensor {
        self.alike(x, |x| self.cpu.affine(x, scale, shift))
    }
    fn clamp(&self, x: &BandTensor, min: f32, max: f32) -> BandTensor {
        self.alike(x, |x| self.cpu.clamp(x, min, max))
    }

    fn reshape(&self, x: &BandTensor, shape: &[usize]) -> BandTensor {
        let split = x.split.and_then(|dim| split_after_reshape(&x.shape(), dim, shape, x.members));
        let Some(dim) = split else { return Self::whole_tensor(self.whole(x).reshaped(shape)) };
        let mut own = shape.to_vec();
        own[dim] /= x.members;
        self.banded(x.own.reshaped(&own), split)
    }
    fn permute(&self, x: &BandTensor, order: &[usize]) -> BandTensor {
        let split = x.split.and_then(|dim| order.iter().position(|&from| from == dim));
        self.banded(self.cpu.permute(&x.own, order), split)
    }
    fn concat(&self, parts: &[&BandTensor], dim: usize) -> BandTensor {
        let split = parts.iter().find_map(|part| part.split).filter(|&split| split != dim);
        let own: Vec<CpuTensor> =
            parts.iter().map(|part| split.map_or_else(|| self.whole(part), |split| self.split_at(part, split))).collect();
        self.banded(self.cpu.concat(&own.iter().collect::<Vec<_>>(), dim), split)
    }
    fn narrow(&self, x: &BandTensor, dim: usize, start: usize, len: usize) -> BandTensor {
        if (start, len) == (0, x.shape()[dim]) {
            return x.clone();
        }
        self.along(x, |split| split == dim, |x| self.cpu.narrow(x, dim, start, len))
    }
    fn gather_rows(&self, x: &BandTensor, rows: &[usize]) -> BandTensor {
        self.along(x, |split| split == 0, |x| self.cpu.gather_rows(x, rows))
    }
    fn pad(&self, x: &BandTensor, padding: Padding) -> BandTensor {
        Self::whole_tensor(self.cpu.pad(&self.whole(x), padding))
    }

    fn matmul(&self, a: &BandTensor, b: &BandTensor) -> BandTensor {
        let (rows, columns) = (a.own.shape().len() - 2, b.own.shape().len() - 1);
        // A band of the left matrix's rows, or of the right one's columns, is one of the product's.
        if a.split == Some(rows) {
            return self.banded(self.cpu.matmul(&a.own, &self.whole(b)), a.split);
        }
        let a = self.whole(a);
        if b.split == Some(columns) && a.shape().len() == b.own.shape().len() {
            return self.banded(self.cpu.matmul(&a, &b.own), b.split);
        }
        Self::whole_tensor(self.cpu.matmul(&a, &self.whole(b)))
    }
    fn conv2d(&self, x: &BandTensor, weight: &BandTensor, bias: Option<&BandTensor>, geometry: ConvGeometry) -> BandTensor {
        let (weight, bias) = (self.whole(weight), bias.map(|bias| self.whole(bias)));
        let (in_shape, (members, rank)) = (x.shape(), self.place());
        let out_height = shape::conv2d(&in_shape, weight.shape(), geometry)[2];
        let ConvGeometry { stride, padding } = geometry;
        let (height, kernel) = (in_shape[2], weight.shape()[2]);
        if self.is_banded(out_height) && height.is_multiple_of(members) {
            // Rows of the padded image that a member's output depends on, counted from the image's first.
            let (out_len, in_len) = ((out_height / members) as isize, (height / members) as isize);
            let needed = |rank: usize| {
                let first = rank as isize * out_len * stride as isize - padding.top as isize;
                [first, first + (out_len - 1) * stride as isize + kernel as isize]
            };
            let inside = |row: isize| row.clamp(0, height as isize);
            let borders = (0..members).fold([0, 0], |[above, below], member| {
                let ([first, end], own_first) = (needed(member).map(inside), member as isize * in_len);
                [above.max(own_first - first), below.max(end - own_first - in_len)]
            });
            let [first, end] = needed(rank);
            let outside = Padding {
                top: (-first).max(0) as usize,
                bottom: (end - height as isize).max(0) as usize,
                left: padding.left,
                right: padding.right,
            };
            let rows = [first, end].map(|row| inside(row) as usize);
            if let Some(rows) = self.rows(x, rows, borders.map(|rows| rows as usize)) {
                let geometry = ConvGeometry { stride, padding: outside };
                return self.banded(self.cpu.conv2d(&rows, &weight, bias.as_ref(), geometry), Some(2));
            }
        }
        Self::whole_tensor(self.cpu.conv2d(&self.whole(x), &weight, bias.as_ref(), geometry))
    }
    fn conv2d_of_doubled(&self, x: &BandTensor, weight: &BandTensor, bias: Option<&BandTensor>) -> BandTensor {
        let (weight, bias) = (self.whole(weight), bias.map(|bias| self.whole(bias)));
        let (height, (members, rank)) = (x.shape()[2], self.place());
        if self.is_banded(height) {
            let len = height / members;
            let (first, end) = ((rank * len).saturating_sub(1), ((rank + 1) * len + 1).min(height));
            if let Some(rows) = self.rows(x, [first, end], [1, 1]) {
                // A row of a neighbour's makes two that are that neighbour's.
                let out = self.cpu.conv2d_of_doubled(&rows, &weight, bias.as_ref());
                return self.banded(self.cpu.narrow(&out, 2, 2 * (rank * len - first), 2 * len), Some(2));
            }
        }
        Self::whole_tensor(self.cpu.conv2d_of_doubled(&self.whole(x), &weight, bias.as_ref()))
    }
    fn softplus(&self, x: &BandTensor) -> BandTensor {
        self.alike(x, |x| self.cpu.softplus(x))
    }
    fn standardize_filters(&self, weight: &BandTensor, epsilon: f32) -> BandTensor {
        Self::whole_tensor(self.cpu.standardize_filters(&self.whole(weight), epsilon))
    }

    fn group_norm(&self, x: &BandTensor, groups: usize, weight: &BandTensor, bias: &BandTensor, epsilon: f32) -> BandTensor {
        self.normalized(x, groups, [weight, bias], epsilon, false)
    }
    fn group_norm_silu(&self, x: &BandTensor, groups: usize, weight: &BandTensor, bias: &BandTensor, epsilon: f32) -> BandTensor {
        self.normalized(x, groups, [weight, bias], epsilon, true)
    }
    fn normalize_last(&self, x: &BandTensor, epsilon: f32) -> BandTensor {
        let last = x.own.shape().len() - 1;
        self.along(x, |split| split == last, |x| self.cpu.normalize_last(x, epsilon))
    }
    fn softmax(&self, x: &BandTensor, dim: usize) -> BandTensor {
        self.along(x, |split| split == dim, |x| self.cpu.softmax(x, dim))
    }

    fn upsample_nearest_2x(&self, x: &BandTensor) -> BandTensor {
        self.alike(x, |x| self.cpu.upsample_nearest_2x(x))
    }
    fn resize_bilinear(&self, x: &BandTensor, height: usize, width: usize) -> BandTensor {
        self.along(x, |split| split >= 2, |x| self.cpu.resize_bilinear(x, height, width))
    }
    fn average_pool(&self, x: &BandTensor, window: usize) -> BandTensor {
        let cut = |split: usize| split >= 2 && !x.own.shape()[split].is_multiple_of(window);
        self.along(x, cut, |x| self.cpu.average_pool(x, window))
    }
    fn mean_from(&self, x: &BandTensor, first: usize) -> BandTensor {
        self.along(x, |split| split >= first, |x| self.cpu.mean_from(x, first))
    }

    fn linear(&self, x: &BandTensor, weight: &BandTensor, bias: Option<&BandTensor>) -> BandTensor {
        let (weight, bias) = (self.whole(weight), bias.map(|bias| self.whole(bias)));
        let inner = x.own.shape().len() - 1;
        self.along(x, |split| split == inner, |x| self.cpu.linear(x, &weight, bias.as_ref()))
    }
    fn attention(&self, q: &BandTensor, k: &BandTensor, v: &BandTensor, scale: f32) -> BandTensor {
        let (k, v) = (self.whole(k), self.whole(v));
        // Each query looks at all keys, whoever has it.
        self.along(q, |split| split != 1, |q| self.cpu.attention(q, &k, &v, scale))
    }
}
