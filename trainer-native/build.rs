//! Compiles the shim to libtorch, and says what the tests find on this machine: the reference data, and the Python packages that read
//! the trainer's files.
//!
//! In: the place of libtorch, which torch-sys has found (its headers are beside its libraries, or in LIBTORCH_INCLUDE); what
//! tests/reference_data.rs reads, and RADIODIFF_PYTHON_PACKAGES, a folder that `pip install --target` filled with TensorBoard
//! and ONNX Runtime; `cargo xtask test --only trainer` fetches them. Out: the cfgs `reference_data` and `python_packages`. A test that
//! needs the packages carries `#[cfg_attr(not(python_packages), ignore = "needs TensorBoard and ONNX Runtime
//! (RADIODIFF_PYTHON_PACKAGES)")]`.

#[path = "../tests/reference_data.rs"]
mod reference_data;

use std::path::{Path, PathBuf};

fn main() {
    compile_shim();
    reference_data::main();
    println!("cargo::rustc-check-cfg=cfg(python_packages)");
    println!("cargo::rerun-if-env-changed=RADIODIFF_PYTHON_PACKAGES");
    let Some(folder) = std::env::var_os("RADIODIFF_PYTHON_PACKAGES") else { return };
    let folder = Path::new(&folder);
    match ["tensorboard", "onnxruntime"].into_iter().find(|package| !folder.join(package).is_dir()) {
        None => {
            println!("cargo::rustc-cfg=python_packages");
            println!("cargo::rustc-env=RADIODIFF_PYTHON_PACKAGES_FOLDER={}", folder.display());
        }
        Some(missing) => println!("cargo::error=RADIODIFF_PYTHON_PACKAGES is {}, which holds no package {missing}", folder.display()),
    }
}

fn compile_shim() {
    const SHIM: &str = "src/torch/custom/shim.cpp";
    println!("cargo::rerun-if-changed={SHIM}");
    println!("cargo::rerun-if-env-changed=LIBTORCH_INCLUDE");
    let beside = std::env::var_os("DEP_TCH_LIBTORCH_LIB").map(|libraries| Path::new(&libraries).join(".."));
    let Some(root) = std::env::var_os("LIBTORCH_INCLUDE").map(PathBuf::from).or(beside) else {
        return println!("cargo::error=torch-sys has not said where libtorch is: set LIBTORCH");
    };
    let include = root.join("include");
    let mut build = cc::Build::new();
    build.cpp(true).std("c++17").warnings(false).pic(true).file(SHIM);
    build.include(&include).include(include.join("torch/csrc/api/include")).compile("trainer_shim");
}
