//! The page as a visitor gets it: built by Trunk in the workspace's `web` profile, without Trunk reaching for the network. Binaryen then
//! rewrites the wasm modules, and esbuild takes comments and white space out of the scripts; they stay one file a module, with the names
//! that their authors gave.

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
    shrink_scripts(&layout::dist())?;
    add_maplibre(&layout::dist())?;
    preload_modules(&layout::dist())?;
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

/// Takes comments and white space out of the page's scripts, in place.
fn shrink_scripts(page: &Path) -> Result<()> {
    tools::install_package_tools()?;
    let mut esbuild = npm(&["exec", "--offline", "--", "esbuild"]);
    esbuild.current_dir(layout::root().join("web")).arg(page.join("**/*.js"));
    for (option, value) in [("--outdir=", page), ("--outbase=", page)] {
        esbuild.arg(format!("{option}{}", value.display()));
    }
    run(esbuild.args(["--allow-overwrite", "--minify-whitespace", "--minify-syntax", "--target=es2022", "--log-level=warning"]))
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

/// Names every module of the page in its head, so that the browser fetches all of them at once instead of level by level of imports,
/// and the wasm module beside them.
fn preload_modules(page: &Path) -> Result<()> {
    let index = page.join("index.html");
    let html = fs::read_to_string(&index).with_context(|| format!("reading {}", index.display()))?;
    let mut links = String::from(r#"<link rel="preload" href="radiodiff-web_bg.wasm" as="fetch" type="application/wasm" crossorigin>"#);
    for module in layout::files_below(&page.join("page"), ".js")? {
        let href = module.strip_prefix(page).unwrap_or(&module).to_string_lossy().replace('\\', "/");
        links.push_str(&format!(r#"<link rel="modulepreload" href="{href}">"#));
    }
    let (head, rest) = html.split_once("</head>").with_context(|| format!("{} has no </head>", index.display()))?;
    fs::write(&index, format!("{head}{links}</head>{rest}")).with_context(|| format!("writing {}", index.display()))
}
