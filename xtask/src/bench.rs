//! `cargo xtask bench`: how long one map takes in Chromium on this machine. For a person to read: CI does not time anything,
//! because its machines differ.

use std::process::ExitCode;

use anyhow::Result;
use lexopt::ValueExt;

use crate::process::run as run_process;
use crate::server::PageServer;
use crate::{browser, page};

pub const HELP: &str = "  bench  print how long one map takes in headless Chromium, warm
         --engine <cpu|webgpu>  one engine instead of both
         --runs <n>             maps that are timed, 10 unless given
";

pub fn run(mut arguments: lexopt::Parser) -> Result<ExitCode> {
    let (mut engines, mut runs) = (vec!["cpu".to_owned(), "webgpu".to_owned()], 10u32);
    while let Some(argument) = arguments.next()? {
        match argument {
            lexopt::Arg::Long("engine") => {
                let engine = arguments.value()?.string()?;
                if !engines.contains(&engine) {
                    return Err(lexopt::Error::from(format!("there is no engine {engine}; the engines are cpu and webgpu")).into());
                }
                engines = vec![engine];
            }
            lexopt::Arg::Long("runs") => runs = arguments.value()?.parse()?,
            lexopt::Arg::Long("help") | lexopt::Arg::Short('h') => {
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
