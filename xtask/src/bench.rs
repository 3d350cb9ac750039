//! `cargo xtask bench`: how long one map takes on this machine. For a person to read: CI does not time anything, because its
//! machines differ.

mod first;
mod web;

use std::process::ExitCode;

use anyhow::{Result, ensure};
use lexopt::{Arg, ValueExt};

use crate::process::{cargo, run as run_process};
use crate::server::PageServer;
use crate::{browser, layout, page, tools};
use first::FirstMapBench;
use web::WebBench;

pub const HELP: &str = "  bench  print how long one map takes in headless Chromium, warm
         --engine <cpu|webgpu>  one engine instead of both
         --runs <n>             maps that are timed, 10 unless given
  bench areas  print how long large physical maps take in headless Chromium, by one worker and by several
         --city <file>          buildings, target/cities/munich.geojson unless given (`cargo xtask cities` makes it)
         --side <m>             side of the map, 1000 unless given
         --resolution <m>       side of a pixel, 2 unless given
         --moves <n>            moves of a transmitter that are timed, 10 unless given
  bench first  print how long after navigation the page shows its first map in headless Chromium, here and on a slow line
         --runs <n>             navigations on each line, 9 unless given
         --beside <folder>      another built page, opened in turns with this one
  bench engines  print how long each engine takes for one map off the browser
         --engine <name>        one of cpu, wgpu, burn-flex, burn-wgpu (all unless given; burn-wgpu takes minutes to build)
         --preset <name>        one of nano, edge, paper (all unless given)
         --runs <n>             warm maps of each preset, 5 unless given
         --limit <s>            seconds that one preset may take on one engine, 300 unless given
         --engine and --preset may be given more than once
  bench web  print how long the networks take in headless Chromium, in our wasm and in onnxruntime-web
         --onnx <file>          the networks as ONNX (needed), which the trainer writes:
                                trainer export --weights models/nano.safetensors --format onnx --out nano.onnx
         --weights <file>       the same networks' weights, models/nano.safetensors unless given
         --runs <n>             maps that are timed, 30 unless given
         --webgpu               also WebGPU, on a software adapter where there is no other
";

/// Engines of `bench engines`, with the feature of radiodiff-engines that builds each.
const ENGINES: [(&str, Option<&str>); 4] =
    [("cpu", None), ("wgpu", Some("wgpu")), ("burn-flex", Some("burn-flex")), ("burn-wgpu", Some("burn-wgpu"))];

pub fn run(mut arguments: lexopt::Parser) -> Result<ExitCode> {
    let (mut engines, mut runs) = (vec!["cpu".to_owned(), "webgpu".to_owned()], 10u32);
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Value(subject) if subject == "engines" => return run_engines(arguments),
            Arg::Value(subject) if subject == "areas" => return run_areas(arguments),
            Arg::Value(subject) if subject == "first" => return run_first(arguments),
            Arg::Value(subject) if subject == "web" => return run_web(arguments),
            Arg::Long("engine") => {
                let engine = arguments.value()?.string()?;
                if !engines.contains(&engine) {
                    return Err(lexopt::Error::from(format!("there is no engine {engine}; the engines are cpu and webgpu")).into());
                }
                engines = vec![engine];
            }
            Arg::Long("runs") => runs = arguments.value()?.parse()?,
            Arg::Long("help") | Arg::Short('h') => {
                print!("{HELP}");
                return Ok(ExitCode::SUCCESS);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    let server = PageServer::start(page::build()?, 0)?;
    run_process(browser::node_with_chromium(&server)?.arg(browser::script("bench.mjs")).arg(runs.to_string()).args(engines))?;
    Ok(ExitCode::SUCCESS)
}

/// Times large maps of a city.
fn run_areas(mut arguments: lexopt::Parser) -> Result<ExitCode> {
    let mut city = layout::target().join("cities/munich.geojson");
    let (mut side_m, mut resolution_m, mut moves) = (1000f64, 2f64, 10u32);
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("city") => city = arguments.value()?.into(),
            Arg::Long("side") => side_m = arguments.value()?.parse()?,
            Arg::Long("resolution") => resolution_m = arguments.value()?.parse()?,
            Arg::Long("moves") => moves = arguments.value()?.parse()?,
            Arg::Long("help") | Arg::Short('h') => {
                print!("{HELP}");
                return Ok(ExitCode::SUCCESS);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    ensure!(city.is_file(), "{} is missing: `cargo xtask cities` makes the cities, or name a file with --city", city.display());
    let server = PageServer::start(page::build()?, 0)?;
    let mut bench = browser::node_with_chromium(&server)?;
    bench.arg(browser::script("bench-areas.mjs")).arg(city);
    run_process(bench.args([side_m.to_string(), resolution_m.to_string(), moves.to_string()]))?;
    Ok(ExitCode::SUCCESS)
}

/// Times the first map after navigation.
fn run_first(mut arguments: lexopt::Parser) -> Result<ExitCode> {
    let (mut runs, mut beside) = (9u32, None);
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("runs") => runs = arguments.value()?.parse()?,
            Arg::Long("beside") => beside = Some(arguments.value()?.into()),
            Arg::Long("help") | Arg::Short('h') => {
                print!("{HELP}");
                return Ok(ExitCode::SUCCESS);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    ensure!(runs > 0, "--runs is 0, expected at least one navigation");
    first::run(&FirstMapBench { runs, beside })?;
    Ok(ExitCode::SUCCESS)
}

/// Times the networks beside onnxruntime-web.
fn run_web(mut arguments: lexopt::Parser) -> Result<ExitCode> {
    let mut onnx = None;
    let (mut weights, mut runs, mut webgpu) = (layout::root().join("models/nano.safetensors"), 30u32, false);
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("onnx") => onnx = Some(arguments.value()?.into()),
            Arg::Long("weights") => weights = arguments.value()?.into(),
            Arg::Long("runs") => runs = arguments.value()?.parse()?,
            Arg::Long("webgpu") => webgpu = true,
            Arg::Long("help") | Arg::Short('h') => {
                print!("{HELP}");
                return Ok(ExitCode::SUCCESS);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    let onnx = onnx.ok_or_else(|| lexopt::Error::from("--onnx is missing; --help says how to make the file"))?;
    ensure!(runs > 0, "--runs is 0, expected at least one map");
    web::run(&WebBench { weights, onnx, runs, webgpu })?;
    Ok(ExitCode::SUCCESS)
}

/// Builds engines/benches/engines.rs with the engines that are asked for, and runs it with the rest of the options.
fn run_engines(mut arguments: lexopt::Parser) -> Result<ExitCode> {
    let (mut features, mut forwarded) = (Vec::new(), Vec::new());
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("engine") => {
                let name = arguments.value()?.string()?;
                let Some((_, feature)) = ENGINES.iter().find(|(engine, _)| *engine == name) else {
                    let names = ENGINES.map(|(engine, _)| engine).join(", ");
                    return Err(lexopt::Error::from(format!("there is no engine {name}; the engines are {names}")).into());
                };
                features.extend(*feature);
                forwarded.extend(["--engine".to_owned(), name]);
            }
            Arg::Long(option @ ("preset" | "runs" | "limit")) => {
                let option = format!("--{option}");
                forwarded.extend([option, arguments.value()?.string()?]);
            }
            Arg::Long("help") | Arg::Short('h') => {
                print!("{HELP}");
                return Ok(ExitCode::SUCCESS);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    if !forwarded.iter().any(|option| option == "--engine") {
        features.extend(ENGINES.iter().filter_map(|(_, feature)| *feature));
    }
    if features.contains(&"wgpu") || features.contains(&"burn-wgpu") {
        tools::vulkan()?;
    }
    let mut bench = cargo(&["bench", "--package", "radiodiff-engines", "--bench", "engines", "--features", &features.join(",")]);
    run_process(bench.arg("--").args(forwarded))?;
    Ok(ExitCode::SUCCESS)
}
