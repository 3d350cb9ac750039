//! Sets the cfg `gdal` where GDAL's programs are on the search path, which read the exported files back in tests/gdal.rs.

#![allow(clippy::disallowed_macros, reason = "a build script runs on the machine that builds, and speaks to cargo by println")]

use std::process::{Command, Stdio};

fn main() {
    println!("cargo::rustc-check-cfg=cfg(gdal)");
    println!("cargo::rerun-if-env-changed=PATH");
    println!("cargo::rerun-if-changed=build.rs");
    let runs = |program: &str| Command::new(program).arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success());
    if runs("gdalinfo") && runs("ogrinfo") {
        println!("cargo::rustc-cfg=gdal");
    }
}
