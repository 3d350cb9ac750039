//! An engine that computes shapes only and counts the work of a real one: multiply-accumulates, the largest tensor, operations.
//!
//! It tells the cost of a preset before anything is allocated.

use super::contract::{Binary, ConvGeometry, Engine, EngineError, Padding, Unary};
use super::shape;
use std::cell::Cell;

/// The cost of running a network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Multiply-accumulates of convolutions and matrix products.
    pub macs: u64,
    /// Elements of the largest tensor made.
    pub largest_tensor: usize,
    /// Operations, that is dispatches of an engine without fusion (reshapes are free).
    pub operations: u64,
}

/// Tensors are their shapes.
#[derive(Default)]
pub struct CountingEngine {
    cost: Cell<Cost>,
}

impl CountingEngine {
    /// The cost since the last call.
    pub fn take(&self) -> Cost {
        self.cost.take()
    }

    fn made(&self, shape: Vec<usize>, macs: usize) -> Vec<usize> {
        let mut cost = self.cost.get();
        cost.macs += macs as u64;
        cost.largest_tensor = cost.largest_tensor.max(shape.iter().product());
        cost.operations += 1;
        self.cost.set(cost);
        shape
    }
}

impl Engine for CountingEngine {
    type Tensor = Vec<usize>;

    fn tensor(&self, values: &[f32], shape: &[usize]) -> Vec<usize> {
        assert_eq!(values.len(), shape.iter().product::<usize>(), "values for a tensor of shape {shape:?}");
        shape.to_vec()
    }
    async fn read(&self, _: &Vec<usize>) -> Result<Vec<f32>, EngineError> {
        Err(EngineError::Failed { reason: "the counting engine has no values".into() })
    }
    fn shape(&self, x: &Vec<usize>) -> Vec<usize> {
        x.clone()
    }
    fn unary(&self, _: Unary, x: &Vec<usize>) -> Vec<usize> {
        self.made(x.clone(), 0)
    }
    fn binary(&self, _: Binary, a: &Vec<usize>, b: &Vec<usize>) -> Vec<usize> {
        self.made(shape::broadcast(a, b), 0)
    }
    fn affine(&self, x: &Vec<usize>, _: f32, _: f32) -> Vec<usize> {
        self.made(x.clone(), 0)
    }
    fn clamp(&self, x: &Vec<usize>, _: f32, _: f32) -> Vec<usize> {
        self.made(x.clone(), 0)
    }
    fn reshape(&self, x: &Vec<usize>, shape: &[usize]) -> Vec<usize> {
        assert_eq!(x.iter().product::<usize>(), shape.iter().product::<usize>(), "reshape of {x:?} to {shape:?}");
        shape.to_vec()
    }
    fn permute(&self, x: &Vec<usize>, order: &[usize]) -> Vec<usize> {
        self.made(order.iter().map(|&i| x[i]).collect(), 0)
    }
    fn concat(&self, parts: &[&Vec<usize>], dim: usize) -> Vec<usize> {
        let mut shape = parts[0].clone();
        shape[dim] = parts.iter().map(|p| p[dim]).sum();
        for part in parts {
            let same = part.iter().zip(&shape).enumerate().all(|(i, (a, b))| i == dim || a == b);
            assert!(same, "concat of {parts:?} along {dim}");
        }
        self.made(shape, 0)
    }
    fn narrow(&self, x: &Vec<usize>, dim: usize, start: usize, len: usize) -> Vec<usize> {
        assert!(start + len <= x[dim], "narrow of {x:?} along {dim} to {start}..{}", start + len);
        let mut shape = x.clone();
        shape[dim] = len;
        self.made(shape, 0)
    }
    fn gather_rows(&self, x: &Vec<usize>, rows: &[usize]) -> Vec<usize> {
        self.made(shape::gather_rows(x, rows), 0)
    }
    fn pad(&self, x: &Vec<usize>, p: Padding) -> Vec<usize> {
        let mut shape = x.clone();
        let last = shape.len() - 1;
        shape[last - 1] += p.top + p.bottom;
        shape[last] += p.left + p.right;
        self.made(shape, 0)
    }
    fn matmul(&self, a: &Vec<usize>, b: &Vec<usize>) -> Vec<usize> {
        let shape = shape::matmul(a, b);
        let macs = shape.iter().product::<usize>() * a[a.len() - 1];
        self.made(shape, macs)
    }
    fn conv2d(&self, x: &Vec<usize>, weight: &Vec<usize>, _: Option<&Vec<usize>>, geometry: ConvGeometry) -> Vec<usize> {
        let shape = shape::conv2d(x, weight, geometry);
        let macs = shape.iter().product::<usize>() * weight[1..].iter().product::<usize>();
        self.made(shape.to_vec(), macs)
    }
    fn group_norm(&self, x: &Vec<usize>, groups: usize, _: &Vec<usize>, _: &Vec<usize>, _: f32) -> Vec<usize> {
        assert_eq!(x[1] % groups, 0, "group_norm of {x:?} in {groups} groups");
        self.made(x.clone(), 0)
    }
    fn normalize_last(&self, x: &Vec<usize>, _: f32) -> Vec<usize> {
        self.made(x.clone(), 0)
    }
    fn softmax(&self, x: &Vec<usize>, _: usize) -> Vec<usize> {
        self.made(x.clone(), 0)
    }
    fn upsample_nearest_2x(&self, x: &Vec<usize>) -> Vec<usize> {
        self.made(vec![x[0], x[1], x[2] * 2, x[3] * 2], 0)
    }
    fn resize_bilinear(&self, x: &Vec<usize>, height: usize, width: usize) -> Vec<usize> {
        self.made(vec![x[0], x[1], height, width], 0)
    }
    fn average_pool(&self, x: &Vec<usize>, window: usize) -> Vec<usize> {
        assert!(x[2].is_multiple_of(window) && x[3].is_multiple_of(window), "average_pool of {x:?} by {window}");
        self.made(vec![x[0], x[1], x[2] / window, x[3] / window], 0)
    }
    fn mean_from(&self, x: &Vec<usize>, first: usize) -> Vec<usize> {
        self.made(x.iter().enumerate().map(|(i, &n)| if i < first { n } else { 1 }).collect(), 0)
    }
}
