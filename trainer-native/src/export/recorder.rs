//! An engine that computes nothing: it records the operations it is asked for as the nodes of an ONNX graph.
//!
//! In flow the calls of a network that is written over [`Engine`]; out flows an [`OnnxGraph`] of operator set 17. Host tensors become
//! constants, so everything that does not depend on an input is part of the file.

use super::messages::{OnnxAttribute, OnnxGraph, OnnxNode, OnnxPort, OnnxTensor};
use radiodiff_core::engine::{Binary, ConvGeometry, Engine, EngineError, Padding, Unary, shape};
use radiodiff_core::parameters::{ParameterError, ParameterSource, ParameterSpec};
use radiodiff_core::weights::HostSource;
use std::cell::RefCell;
use std::rc::Rc;

/// A value of the graph: its name and its shape.
#[derive(Clone, Debug)]
pub struct OnnxValue {
    name: Rc<str>,
    shape: Rc<[usize]>,
}

#[derive(Default)]
pub struct OnnxRecorder {
    graph: RefCell<OnnxGraph>,
}

/// Gives parameters as constants under their own names.
pub struct NamedConstants<'a>(pub HostSource<'a>);

impl ParameterSource<OnnxRecorder> for NamedConstants<'_> {
    fn parameter(&self, engine: &OnnxRecorder, spec: &ParameterSpec) -> Result<OnnxValue, ParameterError> {
        let anonymous = self.0.parameter(engine, spec)?;
        Ok(engine.rename(&anonymous, &spec.name))
    }
}

impl OnnxRecorder {
    /// An input of the graph.
    pub fn input(&self, name: &str, shape: &[usize]) -> OnnxValue {
        self.graph.borrow_mut().inputs.push(OnnxPort::new(name, shape));
        OnnxValue { name: name.into(), shape: shape.into() }
    }

    /// The graph recorded so far, with `value` as its only output, under `name`.
    pub fn finish(self, name: &str, value: &OnnxValue) -> OnnxGraph {
        let mut graph = self.graph.into_inner();
        let identity = OnnxNode {
            inputs: vec![value.name.to_string()],
            outputs: vec![name.to_owned()],
            operator: String::from("Identity"),
            attributes: Vec::new(),
        };
        graph.nodes.push(identity);
        graph.outputs.push(OnnxPort::new(name, &value.shape));
        graph
    }

    /// The last constant under another name.
    fn rename(&self, value: &OnnxValue, name: &str) -> OnnxValue {
        if let Some(constant) = self.graph.borrow_mut().initializers.last_mut() {
            debug_assert_eq!(constant.name, *value.name);
            constant.name = name.to_owned();
        }
        OnnxValue { name: name.into(), shape: value.shape.clone() }
    }

    fn constant_name(&self) -> String {
        format!("constant_{}", self.graph.borrow().initializers.len())
    }

    /// A constant vector of whole numbers.
    fn ints(&self, values: impl IntoIterator<Item = usize>) -> OnnxValue {
        let values: Vec<i64> = values.into_iter().map(|value| value as i64).collect();
        let (name, shape) = (self.constant_name(), [values.len()]);
        self.graph.borrow_mut().initializers.push(OnnxTensor::ints(name.clone(), &values));
        OnnxValue { name: name.into(), shape: shape.as_slice().into() }
    }

    fn scalar(&self, value: f32) -> OnnxValue {
        self.tensor(&[value], &[])
    }

    /// Records a node of one output of shape `shape`.
    fn node(&self, operator: &str, inputs: &[&OnnxValue], attributes: Vec<OnnxAttribute>, shape: Vec<usize>) -> OnnxValue {
        let names = inputs.iter().map(|input| input.name.to_string()).collect();
        self.named_node(operator, names, attributes, shape)
    }

    fn named_node(&self, operator: &str, inputs: Vec<String>, attributes: Vec<OnnxAttribute>, shape: Vec<usize>) -> OnnxValue {
        let mut graph = self.graph.borrow_mut();
        let name = format!("{operator}_{}", graph.nodes.len());
        graph.nodes.push(OnnxNode { inputs, outputs: vec![name.clone()], operator: operator.to_owned(), attributes });
        OnnxValue { name: name.into(), shape: shape.into() }
    }

    /// A node whose result has the shape of its first input.
    fn same(&self, operator: &str, inputs: &[&OnnxValue], attributes: Vec<OnnxAttribute>) -> OnnxValue {
        self.node(operator, inputs, attributes, inputs[0].shape.to_vec())
    }

    /// `operator` is Add, Sub, Mul or Div.
    fn arithmetic(&self, operator: &str, a: &OnnxValue, b: &OnnxValue) -> OnnxValue {
        self.node(operator, &[a, b], Vec::new(), shape::broadcast(&a.shape, &b.shape))
    }

    /// ONNX's Resize, whose second input, the region of interest, is empty. `size` names its scales or its sizes.
    fn resize(&self, x: &OnnxValue, size: [String; 2], attributes: Vec<OnnxAttribute>, shape: Vec<usize>) -> OnnxValue {
        let [scales, sizes] = size;
        let mut inputs = vec![x.name.to_string(), String::new(), scales];
        inputs.extend(Some(sizes).filter(|sizes| !sizes.is_empty()));
        self.named_node("Resize", inputs, attributes, shape)
    }
}

impl Engine for OnnxRecorder {
    type Tensor = OnnxValue;

    fn tensor(&self, values: &[f32], shape: &[usize]) -> OnnxValue {
        assert_eq!(values.len(), shape.iter().product::<usize>(), "values for a tensor of shape {shape:?}");
        let name = self.constant_name();
        self.graph.borrow_mut().initializers.push(OnnxTensor::floats(name.clone(), shape, values));
        OnnxValue { name: name.into(), shape: shape.into() }
    }
    async fn read(&self, _: &OnnxValue) -> Result<Vec<f32>, EngineError> {
        Err(EngineError::Failed { reason: "the recording engine has no values".into() })
    }
    fn shape(&self, x: &OnnxValue) -> Vec<usize> {
        x.shape.to_vec()
    }

    fn unary(&self, op: Unary, x: &OnnxValue) -> OnnxValue {
        let single = |operator: &str| self.same(operator, &[x], Vec::new());
        match op {
            Unary::Silu => self.arithmetic("Mul", x, &single("Sigmoid")),
            Unary::Gelu => {
                let phi = self.same("Erf", &[&self.affine(x, std::f32::consts::FRAC_1_SQRT_2, 0.0)], Vec::new());
                self.arithmetic("Mul", x, &self.affine(&phi, 0.5, 0.5))
            }
            Unary::Relu => single("Relu"),
            Unary::Exp => single("Exp"),
            Unary::Log => single("Log"),
            Unary::Sqrt => single("Sqrt"),
            Unary::Abs => single("Abs"),
            Unary::Square => self.arithmetic("Mul", x, x),
            Unary::Sin => single("Sin"),
            Unary::Cos => single("Cos"),
        }
    }
    fn binary(&self, op: Binary, a: &OnnxValue, b: &OnnxValue) -> OnnxValue {
        let operator = match op {
            Binary::Add => "Add",
            Binary::Sub => "Sub",
            Binary::Mul => "Mul",
            Binary::Div => "Div",
        };
        self.arithmetic(operator, a, b)
    }
    fn affine(&self, x: &OnnxValue, scale: f32, shift: f32) -> OnnxValue {
        let scaled = if scale == 1.0 { x.clone() } else { self.arithmetic("Mul", x, &self.scalar(scale)) };
        if shift == 0.0 { scaled } else { self.arithmetic("Add", &scaled, &self.scalar(shift)) }
    }
    fn clamp(&self, x: &OnnxValue, min: f32, max: f32) -> OnnxValue {
        self.same("Clip", &[x, &self.scalar(min), &self.scalar(max)], Vec::new())
    }

    fn reshape(&self, x: &OnnxValue, shape: &[usize]) -> OnnxValue {
        assert_eq!(x.shape.iter().product::<usize>(), shape.iter().product::<usize>(), "reshape of {:?} to {shape:?}", x.shape);
        self.node("Reshape", &[x, &self.ints(shape.iter().copied())], Vec::new(), shape.to_vec())
    }
    fn permute(&self, x: &OnnxValue, order: &[usize]) -> OnnxValue {
        let shape = order.iter().map(|&i| x.shape[i]).collect();
        self.node("Transpose", &[x], vec![OnnxAttribute::of_ints("perm", order.iter().copied())], shape)
    }
    fn concat(&self, parts: &[&OnnxValue], dim: usize) -> OnnxValue {
        let mut shape = parts[0].shape.to_vec();
        shape[dim] = parts.iter().map(|part| part.shape[dim]).sum();
        self.node("Concat", parts, vec![OnnxAttribute::of_int("axis", dim as i64)], shape)
    }
    fn narrow(&self, x: &OnnxValue, dim: usize, start: usize, len: usize) -> OnnxValue {
        assert!(start + len <= x.shape[dim], "narrow of {:?} along {dim} to {start}..{}", x.shape, start + len);
        let mut shape = x.shape.to_vec();
        shape[dim] = len;
        let [start, end, axis] = [start, start + len, dim].map(|number| self.ints([number]));
        self.node("Slice", &[x, &start, &end, &axis], Vec::new(), shape)
    }
    fn gather_rows(&self, x: &OnnxValue, rows: &[usize]) -> OnnxValue {
        let shape = shape::gather_rows(&x.shape, rows);
        self.node("Gather", &[x, &self.ints(rows.iter().copied())], vec![OnnxAttribute::of_int("axis", 0)], shape)
    }
    fn pad(&self, x: &OnnxValue, p: Padding) -> OnnxValue {
        let mut shape = x.shape.to_vec();
        let before = shape.len() - 2;
        shape[before] += p.top + p.bottom;
        shape[before + 1] += p.left + p.right;
        let none = || std::iter::repeat_n(0, before);
        let pads = self.ints(none().chain([p.top, p.left]).chain(none()).chain([p.bottom, p.right]));
        self.node("Pad", &[x, &pads], vec![OnnxAttribute::of_string("mode", "constant")], shape)
    }

    fn matmul(&self, a: &OnnxValue, b: &OnnxValue) -> OnnxValue {
        self.node("MatMul", &[a, b], Vec::new(), shape::matmul(&a.shape, &b.shape))
    }
    fn conv2d(&self, x: &OnnxValue, weight: &OnnxValue, bias: Option<&OnnxValue>, geometry: ConvGeometry) -> OnnxValue {
        let (shape, p) = (shape::conv2d(&x.shape, &weight.shape, geometry), geometry.padding);
        let attributes = vec![
            OnnxAttribute::of_ints("kernel_shape", weight.shape[2..].iter().copied()),
            OnnxAttribute::of_ints("strides", [geometry.stride; 2]),
            OnnxAttribute::of_ints("pads", [p.top, p.left, p.bottom, p.right]),
        ];
        let inputs: Vec<&OnnxValue> = [x, weight].into_iter().chain(bias).collect();
        self.node("Conv", &inputs, attributes, shape.to_vec())
    }

    /// ONNX normalises instances: the groups of channels take the channels' place.
    fn group_norm(&self, x: &OnnxValue, groups: usize, weight: &OnnxValue, bias: &OnnxValue, epsilon: f32) -> OnnxValue {
        let (n, channels, count) = (x.shape[0], x.shape[1], x.shape.iter().product::<usize>());
        let grouped = self.reshape(x, &[n, groups, count / (n * groups)]);
        let [one, zero] = [1.0, 0.0].map(|value| self.tensor(&vec![value; groups], &[groups]));
        let normal = self.same("InstanceNormalization", &[&grouped, &one, &zero], vec![OnnxAttribute::of_float("epsilon", epsilon)]);
        let mut column = vec![1; x.shape.len()];
        column[1] = channels;
        let [weight, bias] = [weight, bias].map(|values| self.reshape(values, &column));
        self.add(&self.mul(&self.reshape(&normal, &x.shape), &weight), &bias)
    }
    fn normalize_last(&self, x: &OnnxValue, epsilon: f32) -> OnnxValue {
        let last = x.shape[x.shape.len() - 1];
        let attributes = vec![OnnxAttribute::of_int("axis", -1), OnnxAttribute::of_float("epsilon", epsilon)];
        self.same("LayerNormalization", &[x, &self.tensor(&vec![1.0; last], &[last])], attributes)
    }
    fn softmax(&self, x: &OnnxValue, dim: usize) -> OnnxValue {
        self.same("Softmax", &[x], vec![OnnxAttribute::of_int("axis", dim as i64)])
    }

    fn upsample_nearest_2x(&self, x: &OnnxValue) -> OnnxValue {
        let attributes = vec![
            OnnxAttribute::of_string("mode", "nearest"),
            OnnxAttribute::of_string("coordinate_transformation_mode", "asymmetric"),
            OnnxAttribute::of_string("nearest_mode", "floor"),
        ];
        let shape = vec![x.shape[0], x.shape[1], 2 * x.shape[2], 2 * x.shape[3]];
        let scales = self.tensor(&[1.0, 1.0, 2.0, 2.0], &[4]);
        self.resize(x, [scales.name.to_string(), String::new()], attributes, shape)
    }
    fn resize_bilinear(&self, x: &OnnxValue, height: usize, width: usize) -> OnnxValue {
        let attributes =
            vec![OnnxAttribute::of_string("mode", "linear"), OnnxAttribute::of_string("coordinate_transformation_mode", "align_corners")];
        let shape = vec![x.shape[0], x.shape[1], height, width];
        let sizes = self.ints(shape.iter().copied());
        self.resize(x, [String::new(), sizes.name.to_string()], attributes, shape)
    }
    fn average_pool(&self, x: &OnnxValue, window: usize) -> OnnxValue {
        let shape = vec![x.shape[0], x.shape[1], x.shape[2] / window, x.shape[3] / window];
        let attributes = ["kernel_shape", "strides"].map(|name| OnnxAttribute::of_ints(name, [window; 2]));
        self.node("AveragePool", &[x], attributes.to_vec(), shape)
    }

    fn mean_from(&self, x: &OnnxValue, first: usize) -> OnnxValue {
        let shape = x.shape.iter().enumerate().map(|(i, &n)| if i < first { n } else { 1 }).collect();
        let attributes = vec![OnnxAttribute::of_ints("axes", first..x.shape.len()), OnnxAttribute::of_int("keepdims", 1)];
        self.node("ReduceMean", &[x], attributes, shape)
    }
}
