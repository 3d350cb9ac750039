//! Running other programs: no terminal and no input is assumed, and a failure names the command.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::layout;

/// Cargo, in the repository's root.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(layout::root()).args(arguments);
    command
}

/// npm, in the repository's root.
pub fn npm(arguments: &[&str]) -> Command {
    let mut command = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    command.current_dir(layout::root()).args(arguments);
    command
}

/// The command as a person would type it.
pub fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program()).to_string_lossy().into_owned();
    command.get_args().fold(program, |line, argument| line + " " + &argument.to_string_lossy())
}

/// Runs `command` to its end, showing its output; an exit status other than 0 is an error.
pub fn run(command: &mut Command) -> Result<()> {
    let line = shown(command);
    println!("$ {line}");
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("`{line}` could not be started"))?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

/// Runs a command that takes minutes: its output goes to the file `log`, whose last line is shown every minute.
///
/// # Errors
/// An exit status other than 0, with the name of the log.
pub fn run_into_log(command: &mut Command, log: &Path) -> Result<()> {
    const MINUTE: Duration = Duration::from_secs(60);
    let line = shown(command);
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    let output = File::create(log).with_context(|| format!("writing {}", log.display()))?;
    let errors = output.try_clone().with_context(|| format!("writing {}", log.display()))?;
    let mut child =
        command.stdin(Stdio::null()).stdout(output).stderr(errors).spawn().with_context(|| format!("`{line}` could not be started"))?;
    let mut shown_at = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().with_context(|| format!("waiting for `{line}`"))? {
            break status;
        }
        std::thread::sleep(Duration::from_millis(100));
        if shown_at.elapsed() >= MINUTE {
            shown_at = Instant::now();
            let text = fs::read(log).unwrap_or_default();
            println!("  {}", String::from_utf8_lossy(&text).lines().last().unwrap_or_default().trim());
        }
    };
    if !status.success() {
        bail!("`{line}` failed ({status}); its output is in {}", log.display());
    }
    Ok(())
}

/// What `command` prints, or None when it cannot be started or fails.
pub fn output(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The first of the programs `names` on the search path.
pub fn on_search_path(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let file = |name: &str, folder: &Path| folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    names.iter().flat_map(|name| folders.iter().map(move |folder| file(name, folder))).find(|path| path.is_file())
}

/// The search path `name` (PATH, LD_LIBRARY_PATH) with `folders` in front of it.
pub fn search_path(name: &str, folders: &[&Path]) -> Result<OsString> {
    let present = std::env::var_os(name).unwrap_or_default();
    let folders = folders.iter().map(|folder| folder.to_path_buf());
    std::env::join_paths(folders.chain(std::env::split_paths(&present))).with_context(|| format!("a folder does not fit into {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_log_that_holds_its_output() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("logs/rustc.log");
        run_into_log(Command::new("rustc").arg("--version"), &log).unwrap();
        assert!(fs::read_to_string(&log).unwrap().starts_with("rustc"));
        let error = run_into_log(Command::new("rustc").arg("--no-such-option"), &log).unwrap_err().to_string();
        assert!(error.contains(&log.display().to_string()), "{error}");
        assert!(fs::read_to_string(&log).unwrap().contains("no-such-option"));
    }

    #[test]
    fn programs_are_found_on_the_search_path() {
        assert!(on_search_path(&["no-such-program", "cargo"]).is_some());
        assert_eq!(on_search_path(&["no-such-program"]), None);
    }
}
