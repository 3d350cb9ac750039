//! Which jobs a process takes of those that several processes share.
//!
//! Launchers tell a process its number and how many there are in variables of their own. Every rank reads the same list and takes
//! every n-th job, so that ranks need no message between them.

use anyhow::{Context, Result, ensure};

/// (a process's number, how many there are) as launchers set them: Open MPI, MPICH and Intel MPI, Slurm's `srun`, torchrun. Slurm's
/// count is that of the job step: in a script without `srun` there is none, and the script is the only process.
const LAUNCHERS: [(&str, &str); 4] = [
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
    ("PMI_RANK", "PMI_SIZE"),
    ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS"),
    ("RANK", "WORLD_SIZE"),
];
/// A pod's number in an indexed job of Kubernetes, which does not say how many there are.
const KUBERNETES_INDEX: &str = "JOB_COMPLETION_INDEX";

/// A process among those that share the jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RankShare {
    /// From 0.
    pub rank: usize,
    pub of: usize,
}

impl RankShare {
    /// From the options `--rank` and `--ranks` where they are given, else from the launcher's variables; alone without either.
    ///
    /// # Errors
    /// A number that is none or not below the count; a Kubernetes index without `--ranks`.
    pub fn new(rank: Option<usize>, ranks: Option<usize>, variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let number = |name: &str| -> Result<Option<usize>> {
            variable(name).map(|text| text.trim().parse().with_context(|| format!("{name} is {text:?}, expected a number"))).transpose()
        };
        let launched = || -> Result<Option<(usize, usize)>> {
            for (rank, count) in LAUNCHERS {
                if let (Some(rank), Some(count)) = (number(rank)?, number(count)?) {
                    return Ok(Some((rank, count)));
                }
            }
            Ok(None)
        };
        let (rank, of) = match (rank, ranks) {
            (Some(rank), Some(of)) => (rank, of),
            (None, Some(of)) => {
                let rank = match launched()? {
                    Some((rank, _)) => rank,
                    None => {
                        number(KUBERNETES_INDEX)?.context("--ranks is given, and neither --rank nor a launcher's variable says which")?
                    }
                };
                (rank, of)
            }
            _ => match launched()? {
                Some(share) => share,
                None => {
                    let indexed = number(KUBERNETES_INDEX)?;
                    ensure!(indexed.is_none(), "{KUBERNETES_INDEX} is set: give --ranks, the job's number of completions");
                    (0, 1)
                }
            },
        };
        ensure!(rank < of, "rank {rank} of {of}: ranks go from 0 to below their number");
        Ok(Self { rank, of })
    }

    /// Whether the job of this number is this process's.
    pub fn takes(self, job: usize) -> bool {
        job % self.of == self.rank
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(rank: Option<usize>, ranks: Option<usize>, variables: &[(&str, &str)]) -> Result<RankShare> {
        let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        RankShare::new(rank, ranks, variable)
    }

    #[test]
    fn launchers_say_which_rank_it_is() {
        let expected = RankShare { rank: 2, of: 8 };
        for variables in [
            [("OMPI_COMM_WORLD_RANK", "2"), ("OMPI_COMM_WORLD_SIZE", "8")],
            [("PMI_RANK", "2"), ("PMI_SIZE", "8")],
            [("SLURM_PROCID", "2"), ("SLURM_STEP_NUM_TASKS", "8")],
            [("RANK", "2"), ("WORLD_SIZE", " 8 ")],
        ] {
            assert_eq!(share(None, None, &variables).unwrap(), expected, "{variables:?}");
        }
        assert_eq!(share(None, Some(8), &[("JOB_COMPLETION_INDEX", "2")]).unwrap(), expected);
        assert_eq!(share(Some(2), Some(8), &[("RANK", "0"), ("WORLD_SIZE", "2")]).unwrap(), expected, "options come first");
        let alone = RankShare { rank: 0, of: 1 };
        assert_eq!(share(None, None, &[]).unwrap(), alone);
        // An sbatch script without srun.
        assert_eq!(share(None, None, &[("SLURM_PROCID", "0"), ("SLURM_NTASKS", "8")]).unwrap(), alone);
    }

    #[test]
    fn numbers_that_do_not_fit_are_refused() {
        assert!(share(None, None, &[("JOB_COMPLETION_INDEX", "2")]).is_err());
        assert!(share(None, Some(8), &[]).is_err());
        assert!(share(Some(8), Some(8), &[]).is_err() && share(Some(0), Some(0), &[]).is_err());
        assert!(share(None, None, &[("RANK", "two"), ("WORLD_SIZE", "8")]).is_err());
    }

    #[test]
    fn every_job_is_taken_once() {
        for of in 1..6 {
            for job in 0..30 {
                assert_eq!((0..of).filter(|&rank| RankShare { rank, of }.takes(job)).count(), 1);
            }
        }
    }
}
