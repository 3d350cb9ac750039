//! What the paper's networks compute: the goldens of the public code (reference data), and PyTorch's in float64.
//!
//! The condition encoder, the autoencoder and its critics are held to the public code's tensors. The U-Net multiplies rounding errors
//! by more than a hundred, so that PyTorch's own float32 is 1e-4 to 1e-3 from its float64 (docs/measurements/engines.md). Its
//! outputs are therefore held to tests/goldens/unet-float64.safetensors: with the rule's weights for an engine in float64, and for
//! every engine with weights that do not amplify rounding ([`CalmWeights`]).

use crate::golden_maker::{GoldenMaker, Goldens, SampleImages};
use crate::rule::rule_parameter;
use crate::{relative_error, shared_data};
use radiodiff_core::engine::Engine;
use radiodiff_core::model::Preset;
use radiodiff_core::parameters::{ParameterError, ParameterSource, ParameterSpec};
use radiodiff_core::weights::{HostTensor, read_tensors};

const SEED: u64 = 1;
const FLOAT64: &[u8] = include_bytes!("../goldens/unet-float64.safetensors");
/// Allowed relative L2 errors: of a network's output, and of three steps of the sampler.
const A_NETWORK: f64 = 1e-4;
const THREE_STEPS: f64 = 1e-3;

/// An entry of the public code's state dict.
pub struct PublicParameter {
    /// The path of its network among the others.
    pub root: &'static str,
    /// The path from the network's own root.
    pub name: String,
    pub shape: Vec<usize>,
}

/// The lists of them in the reference data, the autoencoder's first.
///
/// # Panics
/// When a list is absent or damaged.
pub fn public_parameters() -> Vec<PublicParameter> {
    let folder = shared_data().join("goldens");
    let lists = [("parameters-autoencoder.txt", "first_stage_model."), ("parameters-unet.txt", "model.")];
    let list = |(file, root)| {
        let text = std::fs::read_to_string(folder.join(file)).expect("the list is there");
        let dimension = |n: &str| n.parse::<usize>().expect("a list of names and shapes");
        let shape = |text: &str| text.split(|c: char| !c.is_ascii_digit()).filter(|n| !n.is_empty()).map(dimension).collect();
        let entry = |(name, dims): (&str, &str)| PublicParameter { root, name: name.to_owned(), shape: shape(dims) };
        text.lines().filter_map(|line| line.split_once(' ')).map(entry).collect::<Vec<_>>()
    };
    lists.into_iter().flat_map(list).collect()
}

/// The rule's weights, except that the queries of the relation layers are divided by 16: the softmax behind them is not scaled by
/// their width.
pub struct CalmWeights;

impl<E: Engine> ParameterSource<E> for CalmWeights {
    fn parameter(&self, engine: &E, spec: &ParameterSpec) -> Result<E::Tensor, ParameterError> {
        let mut values = rule_parameter(SEED, &spec.name, &spec.shape);
        if spec.name.contains(".q_lin.") {
            values.iter_mut().for_each(|value| *value /= 16.0);
        }
        Ok(engine.tensor(&values, &spec.shape))
    }
}

/// The floating-point type an engine computes in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    Single,
    Double,
}

/// Expected tensors, and the images the networks are given.
pub struct PublicGoldens {
    public: Goldens,
    /// The public keys with `rule.` or `calm.` in front.
    float64: Goldens,
    gain: Vec<u8>,
    condition: Vec<Vec<u8>>,
    paper: Preset,
}

impl PublicGoldens {
    /// The goldens of the reference data, and those of the repository.
    ///
    /// # Panics
    /// When they are absent or damaged.
    pub fn read() -> Self {
        let path = shared_data().join("goldens/upstream-seed1.safetensors");
        let whole = |bytes: &[u8]| read_tensors(bytes, "").expect("the goldens are whole").into_iter().collect::<Goldens>();
        let public = whole(&std::fs::read(path).expect("the goldens are there"));
        // Back to gray levels: /255, *2-1 loses none of them.
        let gray = |values: &[f32]| values.iter().map(|v| ((v + 1.0) * 127.5).round() as u8).collect::<Vec<u8>>();
        Self {
            gain: gray(&public["input.gain"].values),
            condition: public["input.cond"].values.chunks(256 * 256).map(gray).collect(),
            public,
            float64: whole(FLOAT64),
            paper: Preset::named("paper").expect("there is such a preset"),
        }
    }

    /// The maker that computes the same tensors on an engine.
    ///
    /// # Panics
    /// When the preset does not take the goldens' images.
    pub fn maker<'a, E: Engine>(&'a self, engine: &'a E) -> GoldenMaker<'a, E> {
        let images = SampleImages { gain: &self.gain, condition: self.condition.iter().map(Vec::as_slice).collect() };
        GoldenMaker::new(engine, &self.paper, SEED, &images).expect("the images fit")
    }

    /// Prints the error of each tensor.
    ///
    /// # Panics
    /// When one is too far: relative L2 error above 1e-4, 1e-3 after three steps of the sampler.
    pub fn assert_rule(&self, found: &Goldens, arithmetic: Arithmetic) {
        self.assert(found, |key| match self.float64.get(&format!("rule.{key}")) {
            Some(expected) => Some((expected, arithmetic == Arithmetic::Double)),
            None => self.public.get(key).map(|expected| (expected, true)),
        });
    }

    /// As [`Self::assert_rule`] for the U-Net's outputs with [`CalmWeights`], in any arithmetic.
    ///
    /// # Panics
    /// As [`Self::assert_rule`].
    pub fn assert_calm(&self, found: &Goldens) {
        let unet = found.iter().filter(|(key, _)| self.float64.contains_key(&format!("calm.{key}")));
        let unet: Goldens = unet.map(|(key, tensor)| (key.clone(), tensor.clone())).collect();
        assert!(unet.len() >= 2, "no output of the U-Net among {:?}", found.keys());
        self.assert(&unet, |key| self.float64.get(&format!("calm.{key}")).map(|tensor| (tensor, true)));
    }

    /// `expected` gives the tensor and whether a difference fails.
    fn assert<'a>(&self, found: &Goldens, expected: impl Fn(&str) -> Option<(&'a HostTensor, bool)>) {
        let mut failures = Vec::new();
        for (key, tensor) in found {
            let Some((expected, binding)) = expected(key) else {
                failures.push(format!("{key} is not among the goldens"));
                continue;
            };
            assert_eq!(tensor.shape, expected.shape, "{key}");
            let error = relative_error(&tensor.values, &expected.values);
            let allowed = if key == "sampler.n3.latent" { THREE_STEPS } else { A_NETWORK };
            println!("{key}: {error:.1e}{}", if binding { "" } else { " (rounding)" });
            // False for NaN too.
            let near = error <= allowed;
            if binding && !near {
                failures.push(format!("{key} is off by {error:.2e} (relative L2), allowed {allowed:.0e}"));
            }
        }
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }
}
