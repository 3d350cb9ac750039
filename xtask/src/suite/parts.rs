//! The parts of `cargo xtask test`. A new check is a function here and a row of [`PARTS`].

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use super::tally::Tally;
use super::{node_tests, rust_tests};
use crate::process::{cargo, npm, run, search_path};
use crate::server::PageServer;
use crate::{browser, layout, package, page, payload, tools};

/// When a part runs without being named by `--only`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// With `--quick`, and always.
    Quick,
    Always,
    /// Never: it takes minutes and few changes concern it.
    Named,
}

/// How a part runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Also the tests that take minutes.
    pub slow: bool,
    /// Only the tests that take seconds.
    pub quick: bool,
    /// The parts unit and trainer both run. Then they are built together: cargo compiles once what packages that are built together
    /// depend on.
    pub with_trainer: bool,
}

pub struct Part {
    pub name: &'static str,
    pub when: When,
    /// Seconds on two cores from nothing.
    pub cold_s: u64,
    pub run: fn(Options) -> Result<Tally>,
}

pub const PARTS: &[Part] = &[
    Part { name: "fmt", when: When::Quick, cold_s: 5, run: fmt },
    Part { name: "clippy", when: When::Always, cold_s: 300, run: clippy },
    Part { name: "unit", when: When::Quick, cold_s: 480, run: unit },
    Part { name: "node", when: When::Quick, cold_s: 20, run: node },
    Part { name: "trainer", when: When::Always, cold_s: 420, run: trainer },
    Part { name: "size", when: When::Always, cold_s: 480, run: size },
    Part { name: "page", when: When::Always, cold_s: 180, run: page_tests },
    Part { name: "package", when: When::Always, cold_s: 90, run: package_tests },
    Part { name: "dependencies", when: When::Named, cold_s: 420, run: dependencies },
    Part { name: "burn-wgpu", when: When::Named, cold_s: 600, run: burn_wgpu },
    Part { name: "embedding", when: When::Named, cold_s: 300, run: embedding_tests },
];

/// The features that the workspace is checked with: all but burn-wgpu, which brings hundreds of crates and has a part of its own.
const FEATURES: [&str; 2] = [
    "--features",
    "radiodiff-core/conformance,radiodiff-engines/burn-flex,radiodiff-engines/wgpu,radiodiff-cli/vulkan,radiodiff-radio/osm,radiodiff-tests/golden-program",
];
const TRAINER: &str = "trainer";
/// Where its tests lie.
const TRAINER_FOLDER: &str = "trainer-native/";

/// The folders whose tests `--quick` runs. The programs under [`NOT_QUICK`] take longer.
const QUICK: [&str; 6] = ["radio/", "planning/", "core/", "engines/", "dataset/", "cli/"];
/// Tests of the GPU engine, whose shaders a software driver compiles.
const NOT_QUICK: [&str; 1] = ["engines/tests/wgpu.rs"];

/// The package's tests, in its tarball's name.
const PACKAGE_TESTS: &str = "tests/browser/package";
/// The test files of tests/browser that need no browser.
const WITHOUT_BROWSER: [&str; 1] = ["tests/browser/plausible.test.mjs"];

fn is_quick(source: &str) -> bool {
    QUICK.iter().any(|folder| source.starts_with(folder)) && !NOT_QUICK.contains(&source)
}

/// Cargo whose compiler for our own packages is clippy's, which compiles and lints in one: a check of its own would compile all
/// dependencies again. For every native build, so that nothing is built twice, and none of the browser's, which anyone builds.
fn linting_cargo(arguments: &[&str]) -> Command {
    let mut command = cargo(arguments);
    command.env("RUSTC_WORKSPACE_WRAPPER", "clippy-driver");
    command
}

/// Cargo for the workspace without the trainer, which needs libtorch, or with it.
fn workspace_cargo(verb: &str, options: Options) -> Result<Command> {
    let mut command = linting_cargo(&[verb, "--workspace"]);
    command.args(FEATURES);
    if options.with_trainer {
        return with_libtorch(command);
    }
    command.args(["--exclude", TRAINER]);
    Ok(command)
}

/// Whether the trainer can be built here. Where not, its own part says why.
pub fn libtorch_can_be_had() -> bool {
    with_libtorch(cargo(&[])).is_ok()
}

/// Libtorch where the trainer's build script and programs find it, and the Python packages that read the trainer's files.
fn with_libtorch(mut command: Command) -> Result<Command> {
    tools::cpp_compiler()?;
    let libtorch = tools::libtorch()?;
    let libraries: Vec<_> = libtorch.libraries.iter().map(PathBuf::as_path).collect();
    command.env("LIBTORCH", &libtorch.home).env("LD_LIBRARY_PATH", search_path("LD_LIBRARY_PATH", &libraries)?);
    // For clippy too: a variable that comes and goes would have everything checked and built anew.
    command.env("RADIODIFF_PYTHON_PACKAGES", tools::python_packages()?);
    Ok(command)
}

/// One check a command, whose outcome is its exit status.
fn each(commands: impl IntoIterator<Item = Command>) -> Tally {
    let mut tally = Tally::default();
    for mut command in commands {
        tally += &Tally::one(run(&mut command).inspect_err(|error| println!("{error:#}")).is_ok());
    }
    tally
}

fn fmt(_: Options) -> Result<Tally> {
    Ok(each([cargo(&["fmt", "--all", "--check"])]))
}

/// Builds everything, by clippy: the parts below find their programs built.
fn clippy(options: Options) -> Result<Tally> {
    tools::wasm_target()?;
    // Without the feature `mpi`, which needs a system's MPI.
    let mut tally = rust_tests::lint(&mut workspace_cargo("build", Options { with_trainer: true, ..options })?)?;
    let mut wasm = cargo(&["clippy", "--target", "wasm32-unknown-unknown"]);
    wasm.args(["--package", "radiodiff-web", "--package", "radiodiff-web-export", "--package", "radiodiff-web-calibration"]);
    wasm.env("CLIPPY_CONF_DIR", layout::root().join("xtask/clippy-wasm"));
    wasm.args(["--", "--deny", "warnings"]);
    tally += &each([wasm]);
    Ok(tally)
}

fn unit(options: Options) -> Result<Tally> {
    let mut tests = workspace_cargo("test", options)?;
    if options.quick {
        return rust_tests::run_programs(&mut tests, |program| is_quick(&program.source), options.slow);
    }
    tools::vulkan()?;
    rust_tests::run_programs(&mut tests, |program| !program.source.starts_with(TRAINER_FOLDER), options.slow)
}

fn trainer(options: Options) -> Result<Tally> {
    let mut tests = match options.with_trainer {
        true => workspace_cargo("test", options),
        false => with_libtorch(linting_cargo(&["test", "--package", TRAINER])),
    }?;
    rust_tests::run_programs(&mut tests, |program| program.source.starts_with(TRAINER_FOLDER), options.slow)
}

/// JavaScript that needs no browser, and the package's types.
fn node(_: Options) -> Result<Tally> {
    tools::install_package_tools()?;
    let mut types = npm(&["run", "typecheck"]);
    types.current_dir(layout::root().join("web"));
    let mut tally = each([types]);
    let mut files = layout::files("web", ".test.mjs")?;
    files.extend(WITHOUT_BROWSER.map(str::to_owned));
    tally += &node_tests::run_files(browser::node()?, &files)?;
    Ok(tally)
}

fn size(_: Options) -> Result<Tally> {
    payload::check(&page::build()?).map(Tally::one)
}

fn page_tests(options: Options) -> Result<Tally> {
    let server = PageServer::start(page::build()?, 0)?;
    let mut node = browser::node_with_chromium(&server)?;
    // The page's first map by the engine that the others are checked against.
    let reference = layout::target().join("reference.f32");
    // With the features of the unit part, so that nothing is compiled twice.
    run(workspace_cargo("build", options)?.args(["--example", "reference"]))?;
    let program = layout::target().join("debug/examples").join(format!("reference{}", std::env::consts::EXE_SUFFIX));
    run(Command::new(program).arg(&reference))?;
    node.env("RADIODIFF_REFERENCE", &reference);
    let mut files = layout::files("tests/browser", ".test.mjs")?;
    files.retain(|file| !WITHOUT_BROWSER.contains(&file.as_str()) && !file.starts_with(PACKAGE_TESTS));
    node_tests::run_files(node, &files)
}

/// The package, installed from its tarball, in pages of all kinds, in Node and by bundlers.
fn package_tests(_: Options) -> Result<Tally> {
    let mut files = layout::files(PACKAGE_TESTS, ".test.mjs")?;
    files.retain(|file| !file.ends_with(".embedding.test.mjs"));
    run_package_tests(&files)
}

/// The package with other people's software, whose npm packages fill 300 MB: webpack, OpenLayers, deck.gl, React; and its memory over
/// fifty engines and a thousand maps.
fn embedding_tests(_: Options) -> Result<Tally> {
    run_package_tests(&layout::files(PACKAGE_TESTS, ".embedding.test.mjs")?)
}

fn run_package_tests(files: &[String]) -> Result<Tally> {
    let mut node = browser::node()?;
    node.env("RADIODIFF_PACKAGE", package::pack()?)
        .env("RADIODIFF_CHROMIUM", tools::chromium()?)
        .env("RADIODIFF_NODE_MODULES", tools::playwright()?);
    node_tests::run_files(node, files)
}

/// Licences, advisories and sources of the dependencies (deny.toml), and dependencies that nothing uses.
fn dependencies(_: Options) -> Result<Tally> {
    let (deny, machete) = (tools::cargo_deny()?, tools::cargo_machete()?);
    let program = |program: &Path, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.current_dir(layout::root()).args(arguments);
        command
    };
    let mut tally = each([program(&deny, &["--workspace", "check", "bans", "licenses", "sources"])]);
    // The database is a git repository on GitHub, which not every machine reaches.
    if run(&mut program(&deny, &["fetch", "db"])).is_ok() {
        tally += &each([program(&deny, &["--workspace", "check", "--disable-fetch", "advisories"])]);
    } else {
        tally.leave_out("the RustSec database of advisories cannot be fetched");
    }
    tally += &each([program(&machete, &["--with-metadata", "."])]);
    Ok(tally)
}

/// The burn engine on wgpu: the conformance suite on whatever Vulkan adapter there is.
fn burn_wgpu(options: Options) -> Result<Tally> {
    tools::vulkan()?;
    let engines = |verb| linting_cargo(&[verb, "--package", "radiodiff-engines", "--features", "burn-wgpu"]);
    let mut tally = rust_tests::lint(&mut engines("build"))?;
    tally += &rust_tests::run_programs(engines("test").args(["--test", "burn_wgpu"]), |_| true, options.slow)?;
    Ok(tally)
}

/// The parts that run: those `only` names, or without a name those of the default run or of `--quick`.
///
/// # Errors
/// When there is no part of a name.
pub fn chosen(only: &[String], quick: bool) -> Result<Vec<&'static Part>> {
    if let Some(name) = only.iter().find(|name| !PARTS.iter().any(|part| part.name == **name)) {
        let names: Vec<&str> = PARTS.iter().map(|part| part.name).collect();
        bail!(lexopt::Error::from(format!("there is no part {name}; the parts are {}", names.join(", "))));
    }
    let is_chosen = |part: &&Part| match part.when {
        _ if !only.is_empty() => only.iter().any(|name| name == part.name),
        When::Quick => true,
        When::Always => !quick,
        When::Named => false,
    };
    Ok(PARTS.iter().filter(is_chosen).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_chosen_by_name_or_by_how_long_they_take() {
        let names = |only: &[&str], quick| {
            let only: Vec<String> = only.iter().map(|name| name.to_string()).collect();
            chosen(&only, quick).map(|parts| parts.iter().map(|part| part.name).collect::<Vec<_>>())
        };
        assert_eq!(names(&[], true).unwrap(), ["fmt", "unit", "node"]);
        assert_eq!(names(&[], false).unwrap(), ["fmt", "clippy", "unit", "node", "trainer", "size", "page", "package"]);
        assert_eq!(names(&["dependencies", "fmt"], false).unwrap(), ["fmt", "dependencies"]);
        let error = names(&["nonsense"], false).unwrap_err();
        assert!(error.downcast_ref::<lexopt::Error>().is_some() && error.to_string().contains("burn-wgpu"), "{error}");
    }

    #[test]
    fn quick_tests_are_those_of_the_libraries() {
        assert!(is_quick("radio/tests/rays.rs") && is_quick("engines/src/lib.rs"));
        assert!(!is_quick("engines/tests/wgpu.rs") && !is_quick("tests/tests/parity.rs") && !is_quick("xtask/src/main.rs"));
    }
}
