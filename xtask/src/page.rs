//! The page as a visitor gets it: built by Trunk in the workspace's `web` profile, without Trunk reaching for the network. Binaryen then
//! rewrites the wasm modules, and esbuild bundles the scripts: one file for the page and one for the workers, so that neither waits for
//! the files that others import. Names stay as their authors gave them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{npm, run, search_path};
use crate::{layout, tools};

/// Builds www and returns the folder to serve.
pub fn build() -> Result<PathBuf> {
    if !layout::root().join("www/index.html").is_file() {
        bail!("www/index.html is missing: there is no page to build in {}", layout::root().display());
    }
    tools::wasm_target()?;
    let builders = tools::page_builders()?;
    let mut trunk = Command::new(&builders.trunk);
    // Trunk takes wasm-bindgen from the search path, and refuses a NO_COLOR that is not the word true or false.
    let bindgen = builders.wasm_bindgen.parent().unwrap_or(Path::new(""));
    trunk.current_dir(layout::root()).env("PATH", search_path("PATH", &[bindgen])?).env_remove("NO_COLOR");
    trunk.args(["build", "--offline", "--cargo-profile", "web", "--dist"]).arg(layout::dist());
    println!("Building the page");
    run(&mut trunk)?;
    shrink_modules(&layout::dist(), ".wasm")?;
    bundle_scripts(&layout::dist())?;
    add_maplibre(&layout::dist())?;
    preload(&layout::dist())?;
    Ok(layout::dist())
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

/// Has Binaryen rewrite the modules whose names end in `ending`: a tenth smaller, and as fast. What it made of the same module before is
/// taken again.
pub fn shrink_modules(page: &Path, ending: &str) -> Result<()> {
    let kept = layout::target().join("shrunk");
    fs::create_dir_all(&kept).with_context(|| format!("making {}", kept.display()))?;
    let program = tools::wasm_opt()?;
    for module in layout::files_below(page, ending)? {
        let name = module.file_name().with_context(|| format!("{} has no name", module.display()))?;
        let (source, shrunk) = (kept.join(format!("source-of-{}", name.to_string_lossy())), kept.join(name));
        // What it depends on beside the module.
        let mut asked = fs::read(&module).with_context(|| format!("reading {}", module.display()))?;
        asked.extend(FEATURES.concat().bytes());
        if !shrunk.is_file() || fs::read(&source).ok().as_ref() != Some(&asked) {
            run(Command::new("node").arg(&program).arg("-O3").args(FEATURES).arg(&module).arg("--output").arg(&shrunk))?;
            fs::write(&source, &asked).with_context(|| format!("writing {}", source.display()))?;
        }
        fs::copy(&shrunk, &module).with_context(|| format!("copying {}", shrunk.display()))?;
    }
    Ok(())
}

/// What bundles begin with: the page's, the workers', and the one that the page loads where no worker can be had.
const BUNDLES: [&str; 3] = ["page/main.js", "worker.js", "runtime.js"];
/// Folders of scripts alone.
const SCRIPT_FOLDERS: [&str; 2] = ["page", "adapters"];
/// Not part of the page's bundle, which seldom needs it.
const RUNTIME: &str = "./runtime.js";
/// Bundles of the page that it loads when they are first needed. They hold nothing that the page holds too: it would be there twice.
const LATER: [&str; 2] = ["export/report.js", "input/kept-plans.js"];
/// Glue of the modules that are loaded when they are first needed: to write a map as a file, and to calibrate. The package takes these files as they lie here.
const ON_DEMAND: [&str; 2] = ["./radiodiff-web-export.js", "./radiodiff-web-calibration.js"];

/// Replaces the page's scripts by their bundles, without comments and white space.
fn bundle_scripts(page: &Path) -> Result<()> {
    tools::install_package_tools()?;
    let bundles = layout::target().join("bundles");
    if bundles.exists() {
        fs::remove_dir_all(&bundles).with_context(|| format!("clearing {}", bundles.display()))?;
    }
    let [main, workers @ ..] = BUNDLES.map(|entry| page.join(entry));
    let external = |file| format!("--external:{file}");
    let bundle = || {
        let mut esbuild = esbuild(&bundles);
        esbuild.arg("--bundle").args(ON_DEMAND.map(external));
        esbuild
    };
    let named = |script: &str| format!("./{}", script.rsplit('/').next().unwrap_or(script));
    run(bundle().arg(external(RUNTIME)).args(LATER.map(|script| format!("--external:{}", named(script)))).arg(main))?;
    run(bundle().args(LATER.map(|script| page.join("page").join(script))))?;
    run(bundle().args(workers))?;
    let (glue, bundled): (Vec<_>, Vec<_>) = layout::files_below(page, ".js")?.into_iter().partition(|file| is_glue(file));
    run(esbuild(&bundles).args(glue))?;
    for module in bundled {
        fs::remove_file(&module).with_context(|| format!("removing {}", module.display()))?;
    }
    for folder in SCRIPT_FOLDERS.map(|folder| page.join(folder)) {
        fs::remove_dir_all(&folder).with_context(|| format!("removing {}", folder.display()))?;
    }
    for file in layout::files_below(&bundles, ".js")? {
        let name = file.file_name().with_context(|| format!("{} has no name", file.display()))?;
        fs::copy(&file, page.join(name)).with_context(|| format!("copying {}", file.display()))?;
    }
    Ok(())
}

/// True of what wasm-bindgen wrote.
fn is_glue(script: &Path) -> bool {
    script.file_name().is_some_and(|name| name.to_string_lossy().starts_with("radiodiff-web"))
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
