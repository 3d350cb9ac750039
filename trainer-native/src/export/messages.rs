//! The messages of an ONNX file that an export needs, with the field numbers of onnx.proto (ONNX 1.12, operator set 17).

use prost::Message;

/// Element types of tensors.
pub const FLOAT: i32 = 1;
pub const INT64: i32 = 7;

#[derive(Clone, PartialEq, Message)]
pub struct OnnxModel {
    #[prost(int64, tag = "1")]
    pub ir_version: i64,
    #[prost(string, tag = "2")]
    pub producer_name: String,
    #[prost(string, tag = "3")]
    pub producer_version: String,
    #[prost(string, tag = "6")]
    pub doc_string: String,
    #[prost(message, optional, tag = "7")]
    pub graph: Option<OnnxGraph>,
    #[prost(message, repeated, tag = "8")]
    pub operator_sets: Vec<OperatorSet>,
    #[prost(message, repeated, tag = "14")]
    pub metadata: Vec<MetadataEntry>,
}

#[derive(Clone, PartialEq, Message)]
pub struct OperatorSet {
    /// Empty: ONNX's own operators.
    #[prost(string, tag = "1")]
    pub domain: String,
    #[prost(int64, tag = "2")]
    pub version: i64,
}

#[derive(Clone, PartialEq, Message)]
pub struct MetadataEntry {
    #[prost(string, tag = "1")]
    pub key: String,
    #[prost(string, tag = "2")]
    pub value: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct OnnxGraph {
    #[prost(message, repeated, tag = "1")]
    pub nodes: Vec<OnnxNode>,
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(message, repeated, tag = "5")]
    pub initializers: Vec<OnnxTensor>,
    #[prost(message, repeated, tag = "11")]
    pub inputs: Vec<OnnxPort>,
    #[prost(message, repeated, tag = "12")]
    pub outputs: Vec<OnnxPort>,
}

#[derive(Clone, PartialEq, Message)]
pub struct OnnxNode {
    #[prost(string, repeated, tag = "1")]
    pub inputs: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    pub outputs: Vec<String>,
    #[prost(string, tag = "4")]
    pub operator: String,
    #[prost(message, repeated, tag = "5")]
    pub attributes: Vec<OnnxAttribute>,
}

#[derive(Clone, PartialEq, Message)]
pub struct OnnxAttribute {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(float, optional, tag = "2")]
    pub float: Option<f32>,
    #[prost(int64, optional, tag = "3")]
    pub int: Option<i64>,
    #[prost(bytes = "vec", optional, tag = "4")]
    pub string: Option<Vec<u8>>,
    #[prost(int64, repeated, packed = "false", tag = "8")]
    pub ints: Vec<i64>,
    /// Which of the fields above holds the value.
    #[prost(int32, tag = "20")]
    pub kind: i32,
}

#[derive(Clone, PartialEq, Message)]
pub struct OnnxTensor {
    #[prost(int64, repeated, packed = "false", tag = "1")]
    pub dims: Vec<i64>,
    #[prost(int32, tag = "2")]
    pub element_type: i32,
    #[prost(string, tag = "8")]
    pub name: String,
    /// Little-endian, row-major.
    #[prost(bytes = "vec", tag = "9")]
    pub data: Vec<u8>,
}

/// An input or an output of the graph.
#[derive(Clone, PartialEq, Message)]
pub struct OnnxPort {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(message, optional, tag = "2")]
    pub kind: Option<PortType>,
}

#[derive(Clone, PartialEq, Message)]
pub struct PortType {
    #[prost(message, optional, tag = "1")]
    pub tensor: Option<TensorType>,
}

#[derive(Clone, PartialEq, Message)]
pub struct TensorType {
    #[prost(int32, tag = "1")]
    pub element_type: i32,
    #[prost(message, optional, tag = "2")]
    pub shape: Option<TensorShape>,
}

#[derive(Clone, PartialEq, Message)]
pub struct TensorShape {
    #[prost(message, repeated, tag = "1")]
    pub dims: Vec<ShapeDim>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ShapeDim {
    #[prost(int64, optional, tag = "1")]
    pub value: Option<i64>,
}

impl OnnxAttribute {
    pub fn of_int(name: &str, value: i64) -> Self {
        Self { name: name.to_owned(), int: Some(value), kind: 2, ..Self::default() }
    }

    pub fn of_float(name: &str, value: f32) -> Self {
        Self { name: name.to_owned(), float: Some(value), kind: 1, ..Self::default() }
    }

    pub fn of_string(name: &str, value: &str) -> Self {
        Self { name: name.to_owned(), string: Some(value.as_bytes().to_vec()), kind: 3, ..Self::default() }
    }

    pub fn of_ints(name: &str, values: impl IntoIterator<Item = usize>) -> Self {
        Self { name: name.to_owned(), ints: values.into_iter().map(|value| value as i64).collect(), kind: 7, ..Self::default() }
    }
}

impl OnnxTensor {
    pub fn floats(name: String, shape: &[usize], values: &[f32]) -> Self {
        let data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { name, dims: dims(shape), element_type: FLOAT, data }
    }

    /// A vector of whole numbers.
    pub fn ints(name: String, values: &[i64]) -> Self {
        let data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { name, dims: dims(&[values.len()]), element_type: INT64, data }
    }
}

impl OnnxPort {
    /// Of float32.
    pub fn new(name: &str, shape: &[usize]) -> Self {
        let dims = dims(shape).into_iter().map(|value| ShapeDim { value: Some(value) }).collect();
        let tensor = TensorType { element_type: FLOAT, shape: Some(TensorShape { dims }) };
        Self { name: name.to_owned(), kind: Some(PortType { tensor: Some(tensor) }) }
    }
}

fn dims(shape: &[usize]) -> Vec<i64> {
    shape.iter().map(|&n| n as i64).collect()
}
