//! Which part of the work is this process's, where a launcher started several.
//!
//! A launcher tells its processes their numbers in environment variables. Whoever divides work over processes asks
//! [`RankShare::from_environment`], so that a command needs no option to run on a cluster.

use anyhow::{Context, Result, bail, ensure};
use std::env;

/// The variables of each launcher: the process's number and the number of processes.
const LAUNCHERS: [(&str, &str); 6] = [
    // torchrun, and what torch's users set by hand.
    ("RANK", "WORLD_SIZE"),
    // Open MPI's mpirun.
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
    // MPICH's and Intel's mpiexec (Hydra).
    ("PMI_RANK", "PMI_SIZE"),
    // SLURM's srun. SLURM_NTASKS is no help: a script that sbatch runs has it too, with SLURM_PROCID 0, and is one process.
    ("SLURM_PROCID", SRUN_TASKS),
    // PMIx alone tells no count.
    ("PMIX_RANK", "WORLD_SIZE"),
    // Kubernetes sets the index of an indexed job's pod only; the job's manifest has to set the count.
    ("JOB_COMPLETION_INDEX", "WORLD_SIZE"),
];

/// The number of processes that srun started.
const SRUN_TASKS: &str = "SLURM_STEP_NUM_TASKS";

/// SLURM numbers the steps that no srun started from here on: the script of sbatch, the shell of salloc.
const SPECIAL_STEPS: u32 = 0xffff_fff0;

/// The variables that number the processes of one machine.
const LOCAL_RANKS: [&str; 4] = ["LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "SLURM_LOCALID"];

/// The process's number among those of its machine, where the launcher says it.
///
/// # Errors
/// A value that is no number.
pub fn local_rank() -> Result<Option<usize>> {
    let set = LOCAL_RANKS.into_iter().find_map(|name| Some((name, env::var(name).ok()?)));
    set.map(|(name, value)| number(name, &value)).transpose()
}

fn number(name: &str, value: &str) -> Result<usize> {
    value.trim().parse().with_context(|| format!("{name} is {value:?}, expected a number"))
}

/// Process `rank` of `world`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RankShare {
    rank: usize,
    world: usize,
}

impl Default for RankShare {
    fn default() -> Self {
        Self::ALONE
    }
}

impl RankShare {
    /// One process that does all of the work.
    pub const ALONE: Self = Self { rank: 0, world: 1 };

    /// # Errors
    /// A rank that is not below `world`.
    pub fn new(rank: usize, world: usize) -> Result<Self> {
        ensure!(rank < world, "rank {rank} of {world} processes: expected a rank below the number of processes");
        Ok(Self { rank, world })
    }

    /// The share that the launcher's variables name: `RANK` and `WORLD_SIZE` (torchrun), `OMPI_COMM_WORLD_RANK` and `_SIZE` (Open
    /// MPI), `PMI_RANK` and `PMI_SIZE` (MPICH), `SLURM_PROCID` and `SLURM_STEP_NUM_TASKS` (srun), `PMIX_RANK` or
    /// `JOB_COMPLETION_INDEX` (an indexed job of Kubernetes) and `WORLD_SIZE`. [`Self::ALONE`] where no launcher set a rank, and in a
    /// script of sbatch that does not call srun: it is started once, however many tasks it asked for.
    ///
    /// # Errors
    /// A rank without a number of processes; values that are no numbers, or a rank that is not below the other.
    pub fn from_environment() -> Result<Self> {
        Self::from_variables(|name| env::var(name).ok())
    }

    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let by_srun = variable(SRUN_TASKS).is_some()
            && variable("SLURM_STEP_ID").and_then(|step| step.parse::<u32>().ok()).is_none_or(|step| step < SPECIAL_STEPS);
        let launchers = LAUNCHERS.into_iter().filter(|(_, world)| *world != SRUN_TASKS || by_srun);
        let set = launchers.into_iter().find_map(|(rank, world)| Some((rank, variable(rank)?, world)));
        let Some((rank_name, rank, world_name)) = set else { return Ok(Self::ALONE) };
        let Some(world) = variable(world_name) else {
            bail!("{rank_name} is {rank:?}, but {world_name}, the number of processes, is not set: set it, or unset {rank_name}");
        };
        Self::new(number(rank_name, &rank)?, number(world_name, &world)?).with_context(|| format!("{rank_name} and {world_name}"))
    }

    /// The process's number, 0 to the number of processes - 1.
    pub fn rank(self) -> usize {
        self.rank
    }

    /// The number of processes, at least 1.
    pub fn world(self) -> usize {
        self.world
    }

    pub fn is_alone(self) -> bool {
        self.world == 1
    }

    /// The items that this process takes: every `world`-th, from the `rank`-th on, so that each process gets some of every kind.
    pub fn of<T>(self, items: &[T]) -> impl Iterator<Item = &T> {
        items.iter().skip(self.rank).step_by(self.world)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn share(variables: &[(&str, &str)]) -> Result<RankShare> {
        RankShare::from_variables(|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn every_launchers_variables_are_read() {
        assert_eq!(share(&[]).unwrap(), RankShare::ALONE);
        assert_eq!(share(&[("WORLD_SIZE", "4"), ("SLURM_NTASKS", "4")]).unwrap(), RankShare::ALONE, "no rank is set");
        for (rank, world) in LAUNCHERS {
            assert_eq!(share(&[(rank, "2"), (world, "3")]).unwrap(), RankShare::new(2, 3).unwrap(), "{rank}");
        }
        let nested = [("SLURM_PROCID", "0"), ("SLURM_STEP_NUM_TASKS", "2"), ("RANK", "5"), ("WORLD_SIZE", "8")];
        assert_eq!(share(&nested).unwrap(), RankShare::new(5, 8).unwrap(), "torchrun below srun");
    }

    /// sbatch runs its script once, as process 0 of the tasks it asked for. Newer versions number that step, and a job that was
    /// submitted from within a step of srun inherits that step's count.
    #[test]
    fn a_script_of_sbatch_does_all_the_work_itself() {
        let script = [("SLURM_PROCID", "0"), ("SLURM_NTASKS", "16"), ("SLURM_LOCALID", "0")];
        assert_eq!(share(&script).unwrap(), RankShare::ALONE);
        let numbered = [&script[..], &[("SLURM_STEP_ID", "4294967291"), ("SLURM_STEP_NUM_TASKS", "16")]].concat();
        assert_eq!(share(&numbered).unwrap(), RankShare::ALONE);
        let step = [&script[..], &[("SLURM_STEP_ID", "0"), ("SLURM_STEP_NUM_TASKS", "16")]].concat();
        assert_eq!(share(&step).unwrap(), RankShare::new(0, 16).unwrap(), "srun's first process");
    }

    #[test]
    fn half_an_environment_is_refused_by_name() {
        for (variables, words) in [
            (&[("JOB_COMPLETION_INDEX", "1")][..], "WORLD_SIZE, the number of processes, is not set"),
            (&[("RANK", "one"), ("WORLD_SIZE", "2")], "RANK is \"one\""),
            (&[("PMIX_RANK", "1")], "WORLD_SIZE, the number of processes, is not set"),
            (&[("SLURM_PROCID", "2"), ("SLURM_STEP_NUM_TASKS", "2")], "SLURM_PROCID and SLURM_STEP_NUM_TASKS: rank 2 of 2"),
        ] {
            let error = format!("{:#}", share(variables).unwrap_err());
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn shares_cover_everything_once() {
        let items: Vec<usize> = (0..11).collect();
        let mut taken: Vec<usize> =
            (0..4).flat_map(|rank| RankShare::new(rank, 4).unwrap().of(&items).copied().collect::<Vec<_>>()).collect();
        taken.sort_unstable();
        assert_eq!(taken, items);
    }
}
