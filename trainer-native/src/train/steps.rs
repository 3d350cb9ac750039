//! The training loop: one phase of a stage, from its first step or a checkpoint's to its last. Where several processes train together,
//! each runs this loop, and process 0 also validates and writes.

use super::guard::Verdict;
use super::objective::{Objective, Phase, StepLoss};
use super::session::Session;
use super::stage_run::{Progress, StageRun};
use super::stop::Interrupted;
use crate::config::GuardConfig;
use crate::data::StreamPosition;
use crate::run_log::TrainingProgress;
use crate::torch::{AdamW, Average, Gradients, StepGraphs, copy_all};
use anyhow::{Context, Result, anyhow, bail};
use radiodiff_core::random;
use radiodiff_dataset::files;
use tch::{Kind, Tensor};

/// Runs the phase and leaves the averages of what it trained in the networks.
///
/// A step depends on the configuration, on its number and on the tensors that a checkpoint holds, and on nothing else: the data's
/// order and every random number follow from seed and step. That is why a resumed run is the undisturbed one, on the CPU bit for bit: a
/// GPU's sums come in another order each time, and it encodes maps in batches that depend on what was encoded before.
pub fn train<M>(s: &Session<M>, run: &mut StageRun, phase: &Phase<M>, objective: &dyn Objective<M>) -> Result<()> {
    let Some((mut progress, resumed)) = run.enter(phase.name)? else { return Ok(()) };
    let mut trained = phase.trained(&s.parameters)?;
    trained.extend(objective.trained());
    let mut optimizer = AdamW::new(&trained, phase.weight_decay, s.config.compat);
    // Running statistics too: those of the last weights are not those of the average.
    let mut average = Average::new(&s.parameters.all(phase.prefixes), phase.average);
    let parts = |optimizer: &AdamW, average: &Average| {
        [
            ("networks", s.parameters.all(&[""])),
            ("objective", objective.state()),
            ("optimizer", optimizer.state()),
            ("average", average.state()),
        ]
    };
    if let Some(tensors) = resumed {
        tensors.restore(&parts(&optimizer, &average))?;
    }
    let begin = parts(&optimizer, &average).into_iter().flat_map(|(_, tensors)| tensors);
    s.group.copy_from_leader(&begin.map(|(_, tensor)| tensor).collect::<Vec<_>>())?;
    let statistics = s.parameters.buffers(phase.prefixes);
    let mut undo = Undo::new(statistics.iter().map(|(name, value)| (name.clone(), value.shallow_clone())).chain(objective.buffers()));
    let statistics: Vec<Tensor> = statistics.into_iter().map(|(_, value)| value).collect();
    let frozen: Vec<&str> = phase.frozen.iter().map(String::as_str).collect();
    let mut frozen_statistics = Undo::new(s.parameters.buffers(&frozen).into_iter());

    let start = StreamPosition::start(s.config.seed + phase.order);
    let mut stream = phase.stream(s, progress.data.unwrap_or(start))?;
    let only = if s.config.overfit_batch { Some(phase.stream(s, start)?.next_batch()?) } else { None };

    // A step whose gradients are those of one batch of one process is clipped by their norm as they are.
    let alone = s.group.share().is_alone();
    let with_norm = alone && phase.accumulate == 1;
    // Blocks that are computed again draw random numbers from the generator's kept state, which a record does not have.
    let recordable = alone && objective.repeats() && !s.config.gradient_checkpointing;
    let mut graphs = StepGraphs::new(&s.engine, s.config.cuda_graphs && recordable);
    let steps = phase.schedule.steps;
    let count: i64 = trained.iter().map(|(_, p)| p.numel() as i64).sum();
    if s.group.leads() {
        println!("{}: {steps} steps over {count} parameters", phase.name);
    }
    let bar = TrainingProgress::new(phase.name, progress.step as u64, steps as u64, s.group.leads());
    while progress.step < steps {
        let step = progress.step;
        // A batch that is trained on alone keeps its times and its noise too.
        let drawn = if s.config.overfit_batch { 0 } else { step };
        s.noise.begin(random::seed_for(s.config.seed, &format!("{} {drawn}", phase.name)));

        // The gradient: the mean of so many batches and of all processes, which also hear whether a signal came to one of them.
        s.engine.set_training(true);
        undo.note();
        let (mut gradients, mut first, mut total, mut steady, mut norm) = (None, None, 0.0, 0.0, None);
        for part in 0..phase.accumulate {
            let batch = only.as_ref().map_or_else(|| stream.next_batch(), |only| Ok(only.shallow_clone()))?;
            let inputs = objective.inputs(s, step, drawn * phase.accumulate + part, &batch)?;
            first.get_or_insert(batch);
            let result = graphs.step(&s.engine, &inputs, |inputs| {
                let mut loss = s.config.precision.compute(s.engine.device(), || objective.loss(s, step, inputs))?;
                loss.total /= phase.accumulate as f64;
                Ok(BatchResult::of(loss, &trained, with_norm))
            })?;
            let numbers = result.read()?;
            total += numbers[0];
            steady += numbers[1] / phase.accumulate as f64;
            norm = if with_norm { numbers.last().copied() } else { None };
            if let Some(terms) = &result.loss.terms {
                objective.note(terms, &numbers[2..]);
            }
            // The next replay overwrites these.
            let more = if graphs.records() && !with_norm { result.gradients.copied() } else { result.gradients.shallow_clone() };
            match &mut gradients {
                None => gradients = Some(more),
                Some(sum) => Gradients::add(sum, more),
            }
        }
        let (mut gradients, first) = gradients.zip(first).context("a step has at least one batch")?;
        let stop = f64::from(u8::from(run.stop.raised()));
        let [total, steady, stop] = s.group.average_gradients(&mut gradients, &trained, [total, steady, stop])?;
        let norm = match norm {
            Some(norm) => {
                gradients.limit(norm, phase.clip_norm);
                norm
            }
            None => gradients.clip(phase.clip_norm),
        };
        // Each process has moved running statistics by its own samples.
        s.group.average(&statistics, [])?;
        frozen_statistics.restore();

        // The step, unless it is a bad one.
        let rate = phase.schedule.rate(step) * progress.guard.rate_factor() * progress.adversary_guard.rate_factor();
        let mut verdict = progress.guard.judge(&s.config.guard, if total.is_finite() { steady } else { total }, norm);
        let skipped = verdict != Verdict::Good;
        if !skipped {
            optimizer.step(rate, &gradients);
            average.update();
            if let Some(loss) = objective.after_step(s, step, rate, &first)? {
                verdict = progress.adversary_guard.judge(&FINITE, loss, 0.0);
            }
            progress.smoothed_loss = Some(progress.smoothed_loss.map_or(total, |old| 0.98 * old + 0.02 * total));
        }
        if verdict != Verdict::Good {
            undo.restore();
        }
        progress.step += 1;
        progress.data = Some(stream.position());
        progress.stage_step += 1;
        match verdict {
            Verdict::Good => {}
            Verdict::Skip(reason) => bar.line(&format!("warning: step {step} is left out: {reason}")),
            Verdict::Lower(reason) => bar.line(&format!(
                "warning: step {step} is left out: {reason}. It is one of several in a row, so the rate is {} times the schedule's from here on",
                progress.guard.rate_factor() * progress.adversary_guard.rate_factor()
            )),
            Verdict::Stop(reason) => return Err(give_up(run, phase.name, &progress, &parts(&optimizer, &average), &reason)),
        }

        // The log, now and then with a validation of the averages and the weights so far.
        let mut scalars = vec![("train/total_loss", total), ("train/gradient_norm", norm), ("lr", rate)];
        if skipped {
            scalars.push(("train/skipped", 1.0));
        } else {
            scalars.extend(objective.terms());
            for trouble in progress.trouble.step(&objective.signs(total)) {
                bar.line(&format!("warning: {trouble}"));
            }
        }
        let smoothed = progress.smoothed_loss.unwrap_or(f64::NAN);
        bar.step(format!("loss {smoothed:.5}"));
        let samples_every = s.config.samples_every;
        if s.group.leads() && (progress.step.is_multiple_of(s.config.validate_every) || progress.step == steps) {
            average.swap();
            let validation = s.validate(phase.draw)?;
            s.save(&format!("{}.safetensors", run.network))?;
            average.swap();
            scalars.extend(validation.scalars());
            if phase.reconstructs
                && 2 * progress.step > steps
                && let Some(trouble) = progress.trouble.validation(validation.sharpness)
            {
                bar.line(&format!("warning: {trouble}"));
            }
            files::write(&s.folder.join("preview.png"), &validation.picture.to_png()?)?;
            if samples_every.is_none() {
                run.images(progress.stage_step, "validation", &validation.picture)?;
            }
            bar.line(&format!("loss {smoothed:.5}, validation {}", validation.summary()));
        }
        if s.group.leads() && samples_every.is_some_and(|every| progress.step.is_multiple_of(every) || progress.step == steps) {
            average.swap();
            let picture = s.samples(phase.draw)?;
            average.swap();
            run.images(progress.stage_step, "validation", &picture)?;
        }
        run.scalars(progress.stage_step, &scalars)?;

        // The state, every so often, at the end and when a signal asks for it.
        let stopping = stop > 0.0;
        if stopping || progress.step == steps || run.checkpoint_due(progress.stage_step) {
            let checkpoint = run.checkpoint(&progress, &parts(&optimizer, &average))?;
            if stopping {
                bail!(Interrupted { step: progress.stage_step, checkpoint });
            }
        }
    }
    bar.finish();
    average.swap();
    run.leave(&progress);
    Ok(())
}

/// What a batch gives a step.
struct BatchResult {
    loss: StepLoss,
    gradients: Gradients,
    /// What is read of it, all at once because each reading waits for a GPU: the loss's numbers and, last, the gradients' norm where it
    /// is wanted.
    numbers: Tensor,
}

impl BatchResult {
    fn of(loss: StepLoss, trained: &[(String, Tensor)], with_norm: bool) -> Self {
        let gradients = Gradients::of(&loss.total, trained);
        let _guard = tch::no_grad_guard();
        let norm = with_norm.then(|| gradients.norm());
        let numbers: Vec<Tensor> = loss.numbers().into_iter().chain(&norm).map(|number| number.detach().reshape([1])).collect();
        let numbers = Tensor::cat(&numbers, 0);
        Self { loss, gradients, numbers }
    }

    fn read(&self) -> Result<Vec<f64>> {
        Ok(Vec::<f64>::try_from(&self.numbers.to_kind(Kind::Double))?)
    }
}

/// The discriminator's losses may jump, but must be finite.
const FINITE: GuardConfig = GuardConfig { outlier: f64::INFINITY, skips: 3, lowerings: 4, recovery: 1000 };

/// Ends a run whose steps stay bad: with its state saved, unless that is bad too, and with what to do.
fn give_up(run: &mut StageRun, name: &str, progress: &Progress, parts: &[(&str, Vec<(String, Tensor)>)], reason: &str) -> anyhow::Error {
    let tensors = parts.iter().flat_map(|(_, tensors)| tensors);
    let broken = tensors.filter(|(_, tensor)| tensor.is_floating_point() && tensor.isfinite().all().int64_value(&[]) == 0);
    let broken: Vec<&str> = broken.map(|(name, _)| name.as_str()).take(3).collect();
    let state = if broken.is_empty() {
        match run.checkpoint(progress, parts) {
            Ok(place) => format!("The state before the first bad step is saved in {}", place.display()),
            Err(error) => format!("{error:#}"),
        }
    } else {
        format!("Values that are not finite have reached {}, so {}", broken.join(", "), run.what_remains(progress.stage_step))
    };
    anyhow!(
        "{name}: {reason} at step {}, and halving the rate has not helped. {state}. Go on with a lower {name}.learning_rate or \
         {name}.optimizer.clip_norm, or a longer {name}.optimizer.warmup; if the steps were bad from the beginning, look at the data with \
         `trainer dataset check`",
        progress.step - 1
    )
}

/// Values that a forward pass changes, as they were before it.
struct Undo(Vec<(Tensor, Tensor)>);

impl Undo {
    fn new(values: impl Iterator<Item = (String, Tensor)>) -> Self {
        Self(values.map(|(_, value)| (value.detach().copy(), value)).collect())
    }

    fn note(&mut self) {
        self.move_values(|(before, value)| (before, value));
    }

    fn restore(&mut self) {
        self.move_values(|(before, value)| (value, before));
    }

    /// Copies one of each pair to the other.
    fn move_values(&self, ends: fn(&(Tensor, Tensor)) -> (&Tensor, &Tensor)) {
        let (targets, sources): (Vec<&Tensor>, Vec<&Tensor>) = self.0.iter().map(ends).unzip();
        copy_all(&targets, &sources);
    }
}
