//! `cargo xtask bench web`: the networks of a weights file in our wasm module and in onnxruntime-web, side by side in one browser.
//!
//! In flow the weights and the same networks as ONNX, which only the trainer can write. A folder is made of both, of the module
//! `web/bench` (built as the package's module is) and of onnxruntime-web, and served; tests/browser/bench-web.mjs lets the programs draw
//! in turns. Nothing of it is part of the page or the package.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::{cargo, run as run_process};
use crate::server::PageServer;
use crate::{browser, layout, page, tools};

/// What onnxruntime-web loads for WASM and for WebGPU.
const ONNX_RUNTIME_FILES: [&str; 6] = [
    "ort.wasm.bundle.min.mjs",
    "ort-wasm-simd-threaded.mjs",
    "ort-wasm-simd-threaded.wasm",
    "ort.webgpu.bundle.min.mjs",
    "ort-wasm-simd-threaded.asyncify.mjs",
    "ort-wasm-simd-threaded.asyncify.wasm",
];

/// What is timed.
pub(super) struct WebBench {
    pub weights: PathBuf,
    /// The same networks as ONNX.
    pub onnx: PathBuf,
    /// Maps of each program.
    pub runs: u32,
    /// Also WebGPU.
    pub webgpu: bool,
}

pub(super) fn run(options: &WebBench) -> Result<()> {
    let server = PageServer::start(site(&options.weights, &options.onnx)?, 0)?;
    let mut bench = browser::node_with_chromium(&server)?;
    bench.arg(browser::script("bench-web.mjs")).arg(options.runs.to_string());
    if options.webgpu {
        bench.arg("webgpu");
    }
    run_process(&mut bench)
}

/// The folder to serve: the programs, the networks in both formats, and the worker that draws.
fn site(weights: &Path, onnx: &Path) -> Result<PathBuf> {
    let folder = layout::target().join("bench-web");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("clearing {}", folder.display()))?;
    }
    let runtime = folder.join("onnxruntime");
    fs::create_dir_all(&runtime).with_context(|| format!("making {}", runtime.display()))?;
    let copy = |from: &Path, to: PathBuf| fs::copy(from, to).with_context(|| format!("copying {}", from.display())).map(drop);
    copy(weights, folder.join("network.safetensors"))?;
    copy(onnx, folder.join("network.onnx"))?;
    let scripts = layout::root().join("tests/browser/bench-web");
    for file in ["index.html", "worker.js"] {
        copy(&scripts.join(file), folder.join(file))?;
    }
    copy(&layout::root().join("web/js/team.js"), folder.join("team.js"))?;
    let package = tools::onnxruntime_web()?.join("dist");
    for file in ONNX_RUNTIME_FILES {
        copy(&package.join(file), runtime.join(file))?;
    }
    build_module(&folder)?;
    Ok(folder)
}

/// Builds `web/bench` into `folder`, in the profile and by the tools that the page's module is built with.
fn build_module(folder: &Path) -> Result<()> {
    tools::wasm_target()?;
    let target = "wasm32-unknown-unknown";
    run_process(&mut cargo(&["build", "--package", "radiodiff-web-bench", "--target", target, "--profile", "web"]))?;
    let module = layout::target().join(target).join("web/radiodiff_web_bench.wasm");
    let mut bindgen = Command::new(tools::page_builders()?.wasm_bindgen);
    bindgen.args(["--target", "web", "--no-typescript", "--out-name", "radiodiff-web-bench", "--out-dir"]);
    run_process(bindgen.arg(folder).arg(module))?;
    page::shrink_modules(folder, "radiodiff-web-bench_bg.wasm")
}
