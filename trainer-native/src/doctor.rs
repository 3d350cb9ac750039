//! `trainer doctor`: whether this machine can train, and what to do where it cannot.
//!
//! In flow the machine, and the folders that a run will use; out flows a line for each check, with advice under what is not well. The
//! command fails where training would.

use crate::gpu::GpuMonitor;
use crate::parallel::LIBRARY;
use crate::selection::MapSelection;
use anyhow::{Result, bail};
use radiodiff_dataset::files;
use std::path::{Path, PathBuf};
use sysinfo::{Disks, MemoryRefreshKind, RefreshKind, System};
use tch::{Cuda, Kind, Tensor};

const GIB: f64 = 1_073_741_824.0;
/// Training nano takes less than 2 GiB beside its data.
const LEAST_MEMORY: f64 = 2.0 * GIB;
/// Checkpoints, logs and weights of a run of nano take some 100 MB.
const LEAST_DISK: f64 = GIB;

/// Check that this machine can train: libtorch, GPU, memory, datasets, disk
#[derive(clap::Args, Debug)]
pub struct Args {
    /// A dataset that a run will read; may be given more than once.
    #[arg(long)]
    data: Vec<PathBuf>,
    #[command(flatten)]
    selection: MapSelection,
    /// The folder that a run will write to.
    #[arg(long, default_value = ".")]
    out: PathBuf,
}

/// The outcome of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    Good,
    /// Training works, but not as well as it could.
    Warning,
    /// Training would fail.
    Bad,
}

/// A check's outcome, what was found, and what to do about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnosis {
    pub subject: &'static str,
    pub health: Health,
    pub found: String,
    pub advice: String,
}

impl Diagnosis {
    fn good(subject: &'static str, found: String) -> Self {
        Self { subject, health: Health::Good, found, advice: String::new() }
    }

    fn new(subject: &'static str, health: Health, found: String, advice: &str) -> Self {
        Self { subject, health, found, advice: advice.to_owned() }
    }
}

/// Runs `trainer doctor`.
pub fn run(args: &Args) -> Result<()> {
    let mut diagnoses = vec![libtorch(), gpu(), processor(), memory(), disk(&args.out), write_access(&args.out)];
    diagnoses.extend(args.data.iter().map(|folder| dataset(folder, &args.selection)));
    for Diagnosis { subject, health, found, advice } in &diagnoses {
        let mark = match health {
            Health::Good => "ok     ",
            Health::Warning => "warning",
            Health::Bad => "FAILED ",
        };
        println!("{mark} {subject:<12} {found}");
        if !advice.is_empty() {
            println!("        {:<12} -> {advice}", "");
        }
    }
    let bad = diagnoses.iter().filter(|diagnosis| diagnosis.health == Health::Bad).count();
    if bad > 0 {
        bail!("{bad} of {} checks failed", diagnoses.len());
    }
    Ok(())
}

/// A product whose result is known.
fn libtorch() -> Diagnosis {
    let product =
        Tensor::ones([64, 64], (Kind::Float, tch::Device::Cpu)).f_matmul(&Tensor::ones([64, 64], (Kind::Float, tch::Device::Cpu)));
    match product.and_then(|product| product.f_sum(Kind::Double)).map(|sum| sum.double_value(&[])) {
        Ok(sum) if sum == 64.0_f64.powi(3) => Diagnosis::good(
            "libtorch",
            format!("computes, with {} threads; several processes would talk by {LIBRARY}", tch::get_num_threads()),
        ),
        Ok(sum) => Diagnosis::new("libtorch", Health::Bad, format!("a product of ones sums to {sum}, expected 262144"), REINSTALL),
        Err(error) => Diagnosis::new("libtorch", Health::Bad, error.to_string(), REINSTALL),
    }
}

const REINSTALL: &str = "unpack libtorch 2.11 anew and point LIBTORCH and LD_LIBRARY_PATH at it (docs/training.md)";

/// The GPU as the driver and as libtorch see it.
fn gpu() -> Diagnosis {
    let described = GpuMonitor::open().map(|monitor| monitor.describe());
    let cuda = Cuda::is_available();
    match described {
        None if cuda => Diagnosis::good("GPU", format!("{} by CUDA; the driver's management library is not there", Cuda::device_count())),
        None => {
            let advice = "without one training runs on the CPU; with one, install NVIDIA's driver";
            Diagnosis::new("GPU", Health::Warning, String::from("no NVIDIA driver or no GPU"), advice)
        }
        Some(Err(error)) => Diagnosis::new("GPU", Health::Warning, format!("the driver says: {error}"), "check nvidia-smi"),
        Some(Ok(gpu)) => {
            let (memory, free) = (gpu.memory_bytes as f64 / GIB, gpu.free_bytes as f64 / GIB);
            let (major, minor) = gpu.cuda;
            let found = format!(
                "{}, driver {} (CUDA up to {major}.{minor}), {free:.1} of {memory:.1} GiB free, libtorch {} it",
                gpu.name,
                gpu.driver,
                if cuda { "uses" } else { "does not use" }
            );
            let advice = "the libtorch under LIBTORCH is the CPU's, or needs a newer driver: take the CUDA build of libtorch 2.11";
            if cuda { Diagnosis::good("GPU", found) } else { Diagnosis::new("GPU", Health::Warning, found, advice) }
        }
    }
}

fn processor() -> Diagnosis {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Diagnosis::good("processor", format!("{cores} cores"))
}

fn memory() -> Diagnosis {
    let system = match System::new_with_specifics(RefreshKind::nothing().with_memory(MemoryRefreshKind::everything())) {
        Ok(system) => system,
        Err(error) => return Diagnosis::new("memory", Health::Warning, error.to_string(), "check the free memory yourself"),
    };
    let (free, all) = (system.available_memory() as f64, system.total_memory() as f64);
    let found = format!("{:.1} of {:.1} GiB available", free / GIB, all / GIB);
    let advice = "close other programs, or train with a smaller batch";
    if free < LEAST_MEMORY { Diagnosis::new("memory", Health::Warning, found, advice) } else { Diagnosis::good("memory", found) }
}

/// Room on the disk of a folder, which need not exist yet.
fn disk(folder: &Path) -> Diagnosis {
    let there = existing(folder);
    let disks = Disks::new_with_refreshed_list();
    let absolute = there.canonicalize().unwrap_or(there);
    let disk = disks
        .iter()
        .flat_map(|disks| disks.iter())
        .filter(|disk| absolute.starts_with(disk.mount_point()))
        .max_by_key(|disk| disk.mount_point().as_os_str().len());
    let Some(disk) = disk else {
        return Diagnosis::new(
            "disk",
            Health::Warning,
            format!("the disk of {} is unknown", absolute.display()),
            "check its free space yourself",
        );
    };
    let free = disk.available_space() as f64;
    let found = format!("{:.1} GiB free for {}", free / GIB, absolute.display());
    let advice = "make room, or give another --out: a checkpoint needs room for itself beside the one before";
    if free < LEAST_DISK { Diagnosis::new("disk", Health::Bad, found, advice) } else { Diagnosis::good("disk", found) }
}

/// The folder, or the nearest one above it that exists.
fn existing(folder: &Path) -> PathBuf {
    let found = folder.ancestors().find(|ancestor| ancestor.is_dir());
    found.filter(|ancestor| !ancestor.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

fn write_access(folder: &Path) -> Diagnosis {
    let place = existing(folder);
    match files::check_place(&place.join("trainer-doctor")) {
        Ok(()) => Diagnosis::good("write access", format!("to {}", place.display())),
        Err(error) => {
            Diagnosis::new("write access", Health::Bad, format!("{error:#}"), "give a folder of yours as --out, or change its rights")
        }
    }
}

/// Opens a dataset and reads its first map.
fn dataset(folder: &Path, selection: &MapSelection) -> Diagnosis {
    let read = selection.open(folder).and_then(|(dataset, count)| Ok((count, dataset.load(0)?.scene.grid)));
    match read {
        Ok((count, grid)) => {
            let size = format!("{0} x {0} pixels of {1} m", grid.size, grid.meters_per_pixel);
            Diagnosis::good("dataset", format!("{}: {count} maps of {}, {size}", folder.display(), selection.description()))
        }
        Err(error) => {
            Diagnosis::new("dataset", Health::Bad, format!("{error:#}"), "`trainer dataset check` lists all that is wrong with a folder")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libtorch_and_a_folder_of_ours_are_well() {
        assert_eq!(libtorch().health, Health::Good, "{:?}", libtorch());
        let folder = tempfile::tempdir().expect("a folder");
        let new = folder.path().join("runs/new");
        assert_eq!(write_access(&new).health, Health::Good);
        assert_ne!(disk(&new).found, "");
    }

    #[test]
    fn what_is_wrong_is_named_with_advice() {
        let folder = tempfile::tempdir().expect("a folder");
        let diagnosis = dataset(folder.path(), &MapSelection::default());
        assert_eq!(diagnosis.health, Health::Bad);
        assert!(diagnosis.found.contains("gain") && diagnosis.advice.contains("dataset check"), "{diagnosis:?}");
    }
}
