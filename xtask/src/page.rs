//! The page as a visitor gets it. Cargo builds the wasm modules in the workspace's `web` profile, wasm-bindgen writes their JavaScript and
//! Binaryen rewrites them. esbuild bundles the scripts: one file for the page and one for the workers, so that neither waits for the files
//! that others import. Names stay as their authors gave them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

use crate::process::{cargo, npm, run};
use crate::{layout, tools};

/// The wasm modules of the page and of the package.
const MODULES: [&str; 3] = ["radiodiff-web", "radiodiff-web-calibration", "radiodiff-web-export"];

/// Builds www and returns the folder to serve.
pub fn build() -> Result<PathBuf> {
    let www = layout::root().join("www");
    if !www.join("index.html").is_file() {
        bail!("www/index.html is missing: there is no page to build in {}", layout::root().display());
    }
    println!("Building the page");
    // The scripts import each other and the modules' as if all lay in one folder.
    let (scripts, dist) = (layout::target().join("page-scripts"), layout::dist());
    clear(&scripts)?;
    build_modules(&MODULES, &scripts)?;
    copy_files(&layout::root().join("web/js"), ".js", &scripts)?;
    copy_files(&www.join("page"), ".js", &scripts.join("page"))?;

    clear(&dist)?;
    for file in ["index.html", "style.css"] {
        fs::copy(www.join(file), dist.join(file)).with_context(|| format!("copying www/{file}"))?;
    }
    copy_files(&www.join("scenes"), "", &dist.join("scenes"))?;
    copy_files(&layout::root().join("models"), "", &dist.join("models"))?;
    copy_files(&scripts, ".wasm", &dist)?;
    bundle_scripts(&scripts, &dist)?;
    add_maplibre(&dist)?;
    preload(&dist)?;
    Ok(dist)
}

/// Makes `folder` an empty one.
fn clear(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("clearing {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))
}

/// Copies the files below `from` whose names end in `ending` to the same places below `to`.
fn copy_files(from: &Path, ending: &str, to: &Path) -> Result<()> {
    for file in layout::files_below(from, ending)? {
        let copy = to.join(file.strip_prefix(from)?);
        fs::create_dir_all(copy.parent().unwrap_or(to)).with_context(|| format!("making the folder of {}", copy.display()))?;
        fs::copy(&file, copy).with_context(|| format!("copying {}", file.display()))?;
    }
    Ok(())
}

/// Builds wasm modules, packages of the workspace, as the browser gets them: `folder` receives each with its JavaScript.
pub fn build_modules(packages: &[&str], folder: &Path) -> Result<()> {
    const TARGET: &str = "wasm32-unknown-unknown";
    tools::wasm_target()?;
    let mut build = cargo(&["build", "--target", TARGET, "--profile", "web"]);
    build.args(packages.iter().flat_map(|package| ["--package", package]));
    run(&mut build)?;
    for package in packages {
        let module = layout::target().join(TARGET).join("web").join(package.replace('-', "_")).with_extension("wasm");
        let mut bindgen = Bindgen::new();
        bindgen.input_path(&module).out_name(package).web(true)?.generate(folder).with_context(|| format!("binding {package}"))?;
        shrink_module(&folder.join(format!("{package}_bg.wasm")))?;
    }
    Ok(())
}

/// What every browser with fixed-width SIMD has; Binaryen may use no more.
const FEATURES: [&str; 7] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
    "--enable-simd",
];

/// Has Binaryen rewrite a module: a tenth smaller, and as fast. What it made of the same module before is taken again.
fn shrink_module(module: &Path) -> Result<()> {
    let kept = layout::target().join("shrunk");
    fs::create_dir_all(&kept).with_context(|| format!("making {}", kept.display()))?;
    let name = module.file_name().with_context(|| format!("{} has no name", module.display()))?;
    let (source, shrunk) = (kept.join(format!("source-of-{}", name.to_string_lossy())), kept.join(name));
    // What it depends on beside the module.
    let mut asked = fs::read(module).with_context(|| format!("reading {}", module.display()))?;
    asked.extend(FEATURES.concat().bytes());
    if !shrunk.is_file() || fs::read(&source).ok().as_ref() != Some(&asked) {
        run(Command::new("node").arg(tools::wasm_opt()?).arg("-O3").args(FEATURES).arg(module).arg("--output").arg(&shrunk))?;
        fs::write(&source, &asked).with_context(|| format!("writing {}", source.display()))?;
    }
    fs::copy(&shrunk, module).with_context(|| format!("copying {}", shrunk.display()))?;
    Ok(())
}

/// What bundles begin with: the page's, the workers', and the one that the page loads where no worker can be had.
const BUNDLES: [&str; 3] = ["page/main.js", "worker.js", "runtime.js"];
/// Not part of the page's bundle, which seldom needs it.
const RUNTIME: &str = "./runtime.js";
/// What is loaded with the first export and the first calibration. The package takes these files as they lie here.
const ON_DEMAND: [&str; 2] = ["./radiodiff-web-export.js", "./radiodiff-web-calibration.js"];

/// Writes the bundles of `scripts` and the modules' JavaScript into `page`, without comments and white space.
fn bundle_scripts(scripts: &Path, page: &Path) -> Result<()> {
    tools::install_package_tools()?;
    let [main, workers @ ..] = BUNDLES.map(|entry| scripts.join(entry));
    let external = |file| format!("--external:{file}");
    let bundle = || {
        let mut esbuild = esbuild(page);
        esbuild.arg("--bundle").args(ON_DEMAND.map(external));
        esbuild
    };
    run(bundle().arg(external(RUNTIME)).arg(main))?;
    run(bundle().args(workers))?;
    run(esbuild(page).args(MODULES.map(|module| scripts.join(format!("{module}.js")))))
}

/// esbuild as it writes the page's scripts, each by its own name, into `folder`.
fn esbuild(folder: &Path) -> Command {
    let mut esbuild = npm(&["exec", "--offline", "--", "esbuild"]);
    esbuild.current_dir(layout::root().join("web")).arg(format!("--outdir={}", folder.display())).arg("--entry-names=[name]");
    esbuild.args(["--format=esm", "--minify-whitespace", "--minify-syntax", "--target=es2022", "--log-level=warning"]);
    esbuild
}

/// The folder of the page that MapLibre GL lies in.
pub const MAPLIBRE: &str = "maplibre";
/// What the page loads of it, and its licence.
const MAPLIBRE_FILES: [&str; 4] = ["dist/maplibre-gl.mjs", "dist/maplibre-gl-worker.mjs", "dist/maplibre-gl.css", "LICENSE.txt"];

/// Puts MapLibre GL beside the page, unbundled: the page loads it while its first map is drawn.
fn add_maplibre(page: &Path) -> Result<()> {
    let (package, folder) = (tools::maplibre()?, page.join(MAPLIBRE));
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    for file in MAPLIBRE_FILES.map(|file| package.join(file)) {
        let name = file.file_name().with_context(|| format!("{} has no name", file.display()))?;
        fs::copy(&file, folder.join(name)).with_context(|| format!("copying {}", file.display()))?;
    }
    Ok(())
}

/// The menu of the page's places. The first of them is the one that the page opens with.
const PLACES: &str = "scenes/index.json";

/// Names in the page's head what its first map needs, so that the browser fetches all of it at once.
fn preload(page: &Path) -> Result<()> {
    let index = page.join("index.html");
    let html = fs::read_to_string(&index).with_context(|| format!("reading {}", index.display()))?;
    let links = [
        r#"<link rel="preload" href="radiodiff-web_bg.wasm" as="fetch" type="application/wasm" crossorigin>"#.to_owned(),
        r#"<link rel="modulepreload" href="main.js">"#.to_owned(),
        format!(r#"<link rel="preload" href="{PLACES}" as="fetch" crossorigin>"#),
        format!(r#"<link rel="preload" href="scenes/{}" as="fetch" crossorigin>"#, first_place(page)?),
    ];
    let (head, rest) = html.split_once("</head>").with_context(|| format!("{} has no </head>", index.display()))?;
    fs::write(&index, format!("{head}{}</head>{rest}", links.concat())).with_context(|| format!("writing {}", index.display()))
}

/// The file of the place that the page opens with.
fn first_place(page: &Path) -> Result<String> {
    let menu = page.join(PLACES);
    let text = fs::read_to_string(&menu).with_context(|| format!("reading {}", menu.display()))?;
    let places: serde_json::Value = serde_json::from_str(&text).with_context(|| format!("reading {}", menu.display()))?;
    let file = places[0]["file"].as_str().with_context(|| format!("{} names no place with a file", menu.display()))?;
    Ok(file.to_owned())
}
