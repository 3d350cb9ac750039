//! `cargo xtask`: the chores of the repository in plain Rust, so that a fresh machine needs Rust, Python 3 and Node and nothing else.
//!
//! Every command sets up the tools that are missing under `target/tools` ([`tools`]). It installs nothing globally, apart from the wasm
//! target by rustup and, as root on Debian or Ubuntu, packages by apt-get. A command is one row of [`COMMANDS`].

mod bench;
mod browser;
mod demo;
mod layout;
mod package;
mod page;
mod payload;
mod process;
mod server;
mod suite;
mod tools;

use std::process::ExitCode;

use anyhow::Result;

/// A command of `cargo xtask`: its name, what the help says of it, and what runs it with the arguments that follow the name.
struct Command {
    name: &'static str,
    help: &'static str,
    run: fn(lexopt::Parser) -> Result<ExitCode>,
}

const COMMANDS: &[Command] = &[
    Command { name: "demo", help: demo::HELP, run: demo::run },
    Command { name: "test", help: suite::HELP, run: suite::run },
    Command { name: "bench", help: bench::HELP, run: bench::run },
    Command { name: "package", help: package::HELP, run: package::run },
    Command { name: "cities", help: CITIES_HELP, run: cities },
];

const CITIES_HELP: &str = "  cities make the building footprints of real cities under target/cities (docs/data.md)
         --scenes               also the places of the page, www/scenes
";

fn cities(mut arguments: lexopt::Parser) -> Result<ExitCode> {
    let mut with_scenes = false;
    while let Some(argument) = arguments.next()? {
        match argument {
            lexopt::Arg::Long("scenes") => with_scenes = true,
            lexopt::Arg::Long("help") | lexopt::Arg::Short('h') => {
                print!("{CITIES_HELP}");
                return Ok(ExitCode::SUCCESS);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    // What was downloaded once is taken again.
    if !layout::tools().join("wheels").is_dir() {
        tools::pip()?;
    }
    let mut command = process::cargo(&["run", "--quiet", "--package", "radiodiff-cities", "--"]);
    process::run(command.arg(layout::root()).arg(layout::target()).args(with_scenes.then_some("--scenes")))?;
    Ok(ExitCode::SUCCESS)
}

fn main() -> ExitCode {
    match dispatch(lexopt::Parser::from_env()) {
        Ok(code) => code,
        Err(error) => {
            // A wrong command line is told apart from work that failed, as in the trainer.
            let usage = error.downcast_ref::<lexopt::Error>();
            match usage {
                Some(usage) => eprintln!("error: {usage}"),
                None => eprintln!("error: {error:#}"),
            }
            ExitCode::from(if usage.is_some() { 2 } else { 1 })
        }
    }
}

fn dispatch(mut arguments: lexopt::Parser) -> Result<ExitCode> {
    match arguments.next()? {
        Some(lexopt::Arg::Value(name)) => match COMMANDS.iter().find(|command| name == command.name) {
            Some(command) => (command.run)(arguments),
            None => Err(lexopt::Error::from(format!("there is no command {name:?}\n\n{}", help())).into()),
        },
        Some(lexopt::Arg::Long("help") | lexopt::Arg::Short('h')) | None => {
            println!("{}", help());
            Ok(ExitCode::SUCCESS)
        }
        Some(other) => Err(other.unexpected().into()),
    }
}

fn help() -> String {
    let mut text = String::from("Usage: cargo xtask <command> [options]\n");
    for command in COMMANDS {
        text += "\n";
        text += command.help;
    }
    text
}
