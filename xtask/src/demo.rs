//! `cargo xtask demo`: the page, built and served on this machine; with `--check`, looked at by a browser instead of a person.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use lexopt::ValueExt;

use crate::process::run as run_process;
use crate::server::PageServer;
use crate::{browser, layout, page};

pub const HELP: &str = "  demo   build the page and serve it on 127.0.0.1
         --port <n>           the port, 8080 unless given
         --check              draw one map in headless Chromium instead, and exit with 0 when it is plausible, else with 1
         --screenshot <file>  where --check saves its picture, target/demo.png unless given
";

struct Options {
    port: u16,
    check: bool,
    screenshot: PathBuf,
}

fn options(mut arguments: lexopt::Parser) -> Result<Option<Options>, lexopt::Error> {
    let mut options = Options { port: 8080, check: false, screenshot: layout::target().join("demo.png") };
    while let Some(argument) = arguments.next()? {
        match argument {
            lexopt::Arg::Long("port") => options.port = arguments.value()?.parse()?,
            lexopt::Arg::Long("check") => options.check = true,
            lexopt::Arg::Long("screenshot") => options.screenshot = std::path::absolute(arguments.value()?).map_err(|e| e.to_string())?,
            lexopt::Arg::Long("help") | lexopt::Arg::Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(options))
}

pub fn run(arguments: lexopt::Parser) -> Result<ExitCode> {
    let Some(options) = options(arguments)? else {
        print!("{HELP}");
        return Ok(ExitCode::SUCCESS);
    };
    if options.check {
        let server = PageServer::start(page::build()?, 0)?;
        run_process(browser::node_with_chromium(&server)?.arg(browser::script("check.mjs")).arg(&options.screenshot))?;
        return Ok(ExitCode::SUCCESS);
    }
    // The server comes first: a taken port is reported before the page is built, which takes minutes.
    let server = PageServer::start(layout::dist(), options.port)?;
    page::build()?;
    println!("\nThe page is at {} (Ctrl-C ends)", server.url());
    server.wait()?;
    Ok(ExitCode::SUCCESS)
}
