//! Compiles the shims to libtorch, and says what the tests find on this machine: the reference data, and the Python packages that read
//! the trainer's files.
//!
//! The shims (src/torch/custom/*.cpp, src/parallel/shim/c10d.cpp) are compiled against the headers of libtorch, which torch-sys has
//! found. That of c10d has NCCL where libtorch is built for CUDA and the headers of NCCL and CUDA are found: in NCCL_HOME and CUDA_HOME,
//! where PyTorch's wheels put them, or in the system's folders. The cfg `has_nccl` says so.
//!
//! In: the headers of libtorch, beside its libraries or in LIBTORCH_INCLUDE; what tests/reference_data.rs reads; and
//! RADIODIFF_PYTHON_PACKAGES, a folder that `pip install --target` filled with TensorBoard and ONNX Runtime; `cargo xtask test --only
//! trainer` fetches them. Out: the shims, and the cfgs `reference_data` and `python_packages`. A test that needs the packages carries
//! `#[cfg_attr(not(python_packages), ignore = "needs TensorBoard and ONNX Runtime (RADIODIFF_PYTHON_PACKAGES)")]`.

#[path = "../tests/reference_data.rs"]
mod reference_data;

use std::env;
use std::path::{Path, PathBuf};

fn main() {
    reference_data::main();
    println!("cargo::rerun-if-env-changed=LIBTORCH_INCLUDE");
    match env::var_os("DEP_TCH_LIBTORCH_LIB").map(PathBuf::from) {
        Some(libraries) => {
            compile_custom_operations(&libraries);
            compile_c10d(&libraries);
        }
        None => println!("cargo::error=torch-sys has not said where libtorch is: set LIBTORCH"),
    }
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

/// A compiler that finds the headers of the libtorch whose libraries are in the folder.
fn shim(libraries: &Path) -> cc::Build {
    let home = libraries.parent().unwrap_or(libraries);
    let include = env::var_os("LIBTORCH_INCLUDE").map_or_else(|| home.to_owned(), PathBuf::from).join("include");
    let mut shim = cc::Build::new();
    // libtorch's headers make more debug information than code.
    shim.cpp(true).std("c++17").debug(false).warnings(false).pic(true).include(&include).include(include.join("torch/csrc/api/include"));
    shim
}

fn compile_custom_operations(libraries: &Path) {
    const FILES: [&str; 4] =
        ["src/torch/custom/shim.cpp", "src/torch/custom/lists.cpp", "src/torch/custom/graph.cpp", "src/torch/custom/recompute.cpp"];
    FILES.iter().chain(&["src/torch/custom/failure.h"]).for_each(|file| println!("cargo::rerun-if-changed={file}"));
    shim(libraries).files(FILES).compile("trainer_custom");
}

fn compile_c10d(libraries: &Path) {
    println!("cargo::rustc-check-cfg=cfg(has_nccl)");
    for name in ["NCCL_HOME", "CUDA_HOME"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    println!("cargo::rerun-if-changed=src/parallel/shim");
    let home = libraries.parent().unwrap_or(libraries);
    let mut shim = shim(libraries);
    shim.file("src/parallel/shim/c10d.cpp").include("src/parallel/shim").include("src/torch/custom");
    if libraries.join("libtorch_cuda.so").exists()
        && let Some(folders) = nccl_headers(home)
    {
        shim.includes(folders).define("TRAINER_HAS_NCCL", None);
        println!("cargo::rustc-cfg=has_nccl");
        println!("cargo::rustc-link-lib=torch_cuda");
    }
    shim.compile("trainer_c10d");
}

/// The folders of NCCL's and CUDA's headers, where both are found.
fn nccl_headers(libtorch: &Path) -> Option<Vec<PathBuf>> {
    let named = |name: &str| env::var_os(name).map(|home| PathBuf::from(home).join("include"));
    // PyTorch's wheels lie beside those of NVIDIA.
    let wheels = libtorch.join("../nvidia");
    let system = [PathBuf::from("/usr/include"), PathBuf::from("/usr/local/cuda/include")];
    let places = [named("NCCL_HOME"), named("CUDA_HOME"), Some(wheels.join("nccl/include")), Some(wheels.join("cu13/include"))];
    let places: Vec<PathBuf> = places.into_iter().flatten().chain(system).collect();
    let folder = |header: &str| places.iter().find(|place| place.join(header).exists()).cloned();
    Some(vec![folder("nccl.h")?, folder("cuda_runtime_api.h")?])
}
