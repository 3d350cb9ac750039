//! `trainer train --dry-run`: what a run would hold and need, and one step of it. Nothing is written.

use super::objective::{Objective, Phase};
use super::session::Session;
use crate::data::StreamPosition;
use crate::torch::Gradients;
use anyhow::Result;
use std::collections::BTreeMap;
use std::time::Instant;
use tch::Tensor;

const MIB: f64 = (1 << 20) as f64;

/// Prints the table of parameters and the memory they need in training, then takes one step of the phase without changing anything.
pub fn report<M>(s: &Session<M>, phase: &Phase<M>, objective: &dyn Objective<M>) -> Result<()> {
    let mut trained = phase.trained(&s.parameters)?;
    trained.extend(objective.trained());
    print!("{}", table(&s.parameters.all(&[""]), &trained));
    let bytes = |tensors: &[(String, Tensor)]| tensors.iter().map(|(_, t)| t.numel() * t.kind().elt_size_in_bytes()).sum::<usize>() as f64;
    let (held, moved, averaged) = (s.parameters.all(&[""]), bytes(&trained), bytes(&s.parameters.all(phase.prefixes)));
    let (held, own) = (bytes(&held), bytes(&objective.state()));
    println!(
        "{}: parameters {:.1} MiB, gradients {:.1}, the optimiser's moments {:.1}, average {:.1}, the loss's own {:.1}: {:.1} MiB in all, \
         and what a step keeps for its gradient",
        phase.name,
        held / MIB,
        moved / MIB,
        2.0 * moved / MIB,
        averaged / MIB,
        own / MIB,
        (held + 3.0 * moved + averaged + own) / MIB
    );
    let (before, begun) = (peak_memory_mib(), Instant::now());
    s.engine.set_training(true);
    let batch = phase.stream(s, StreamPosition::start(s.config.seed + phase.order))?.next_batch()?;
    let loss = objective.loss(s, 0, &objective.inputs(s, 0, 0, &batch)?)?.total;
    let norm = Gradients::of(&loss, &trained).clip(f64::INFINITY);
    let seconds = begun.elapsed().as_secs_f64();
    println!("one batch: loss {:.5}, gradient norm {norm:.5}, {seconds:.2} s", loss.double_value(&[]));
    if let (Some(before), Some(after)) = (before, peak_memory_mib()) {
        println!("the process's largest memory: {before:.0} MiB before that batch, {after:.0} MiB after it");
    }
    Ok(())
}

/// Parameters by part, in Markdown: a part is what the first two words of a name say.
fn table(all: &[(String, Tensor)], trained: &[(String, Tensor)]) -> String {
    let part = |name: &str| name.split('.').take(2).collect::<Vec<_>>().join(".");
    let mut parts = BTreeMap::<String, [usize; 3]>::new();
    for (name, tensor) in all {
        let counts = parts.entry(part(name)).or_default();
        counts[0] += 1;
        counts[1] += tensor.numel();
    }
    for (name, tensor) in trained {
        parts.entry(part(name)).or_default()[2] += tensor.numel();
    }
    let row = |(name, [tensors, values, trained]): (&String, &[usize; 3])| format!("| `{name}` | {tensors} | {values} | {trained} |\n");
    let total = parts.values().fold([0; 3], |sum, counts| std::array::from_fn(|i| sum[i] + counts[i]));
    let rows: String = parts.iter().map(row).collect();
    format!("| part | tensors | values | trained in this phase |\n|---|---:|---:|---:|\n{rows}{}", row((&String::from("all"), &total)))
}

/// The largest memory that this process has held so far, where the system tells it.
fn peak_memory_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok().map(|kib| kib / 1024.0)
}
