//! Stopping on request: SIGINT (Ctrl-C) and SIGTERM (a scheduler's warning) end a run after its current step, with a checkpoint.

use anyhow::{Context, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use thiserror::Error;

/// The exit code of a run that a signal ended, as shells have it for SIGINT.
pub const EXIT_CODE: u8 = 130;

/// Whether a signal has come.
pub struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    /// From here on the first signal is only remembered. A second one ends the program at once.
    pub fn install() -> Result<Self> {
        let raised = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order: the first signal finds the flag not yet raised.
            flag::register_conditional_shutdown(signal, i32::from(EXIT_CODE), raised.clone())
                .and_then(|_| flag::register(signal, raised.clone()))
                .context("asking for signals")?;
        }
        #[cfg(unix)]
        // A limit on the size of files shall be an error of the write, as a full disk is, and not the end of the program.
        flag::register(signal_hook::consts::SIGXFSZ, Arc::new(AtomicBool::new(false))).context("asking for signals")?;
        Ok(Self(raised))
    }

    pub fn raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// How a run ends that a signal ended.
#[derive(Debug, Error)]
#[error("stopped by a signal after step {step}; {} holds its state, and the same command with --resume goes on from it", checkpoint.display())]
pub struct Interrupted {
    pub step: u64,
    pub checkpoint: PathBuf,
}
