//! How fast a run is and how long it will take, for the person in front of it: a bar on a terminal, lines anywhere else.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::{Duration, Instant};

/// The progress of a phase of training. Rate and time left are of this session's steps: those of a run that was resumed count from
/// where it went on.
pub struct TrainingProgress {
    bar: ProgressBar,
    begun: Instant,
    /// Steps taken before this session.
    first: u64,
    speaks: bool,
}

impl TrainingProgress {
    /// `name` is the phase's, `done` of its `steps` were taken before. A process that does not speak prints nothing.
    pub fn new(name: &str, done: u64, steps: u64, speaks: bool) -> Self {
        let style = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} {per_sec}, {eta} left, {msg}");
        let target = if speaks { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(steps), target).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let bar = bar.with_prefix(name.to_owned()).with_position(done);
        bar.reset_eta();
        Self { bar, begun: Instant::now(), first: done, speaks }
    }

    /// A step was taken; `message` stands at the bar's end.
    pub fn step(&self, message: String) {
        self.bar.set_message(message);
        self.bar.inc(1);
    }

    /// Steps a second in this session, 0 before the first.
    pub fn steps_per_second(&self) -> f64 {
        (self.bar.position() - self.first) as f64 / self.begun.elapsed().as_secs_f64()
    }

    /// Prints a line above the bar, also where no terminal shows the bar: the phase, how far it is, its rate, the time left and
    /// `message`.
    pub fn line(&self, message: &str) {
        if !self.speaks {
            return;
        }
        let (done, steps) = (self.bar.position(), self.bar.length().unwrap_or_default());
        let text = status(&self.bar.prefix(), done, steps, self.steps_per_second());
        self.bar.suspend(|| println!("{text}, {message}"));
    }

    /// Leaves the bar as it stands.
    pub fn finish(&self) {
        self.bar.abandon();
    }
}

fn status(name: &str, done: u64, steps: u64, rate: f64) -> String {
    let left = steps.saturating_sub(done) as f64 / rate;
    let left = Duration::try_from_secs_f64(left).map_or(String::from("unknown time"), |left| short(left.as_secs()));
    format!("{name} step {done} of {steps}: {rate:.3} steps/s, {left} left")
}

/// A duration in its two largest units.
fn short(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{minutes} min {} s", seconds % 60),
        3600..86400 => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_follows_from_the_rate() {
        assert_eq!(status("diffusion", 100, 500, 4.0), "diffusion step 100 of 500: 4.000 steps/s, 1 min 40 s left");
        assert_eq!(status("autoencoder", 0, 150_000, 0.5), "autoencoder step 0 of 150000: 0.500 steps/s, 3 d 11 h left");
        assert_eq!(status("autoencoder", 0, 10, 0.0), "autoencoder step 0 of 10: 0.000 steps/s, unknown time left");
    }

    #[test]
    fn a_resumed_run_counts_its_own_steps() {
        let progress = TrainingProgress::new("diffusion", 1000, 2000, true);
        assert_eq!(progress.steps_per_second(), 0.0);
        std::thread::sleep(Duration::from_millis(20));
        progress.step(String::new());
        let rate = progress.steps_per_second();
        assert!(rate > 0.0 && rate <= 50.0, "{rate}");
    }
}
