//! The fit: constants of the law and the errors that are left, both at once.
//!
//! Power is the law plus an error whose covariance is known ([`super::covariance`]) plus noise. The law's constants have Gaussian
//! priors, so given the law's derivatives everything is Gaussian and one system of linear equations holds the answer: with A the
//! covariance of the measured powers by priors, error and noise together, the most likely constants are mean + S J^T A^-1 (y - law).
//! The law is not linear in its heights and lobes, so the equations are solved again about the last answer (Gauss-Newton). The error
//! at an unmeasured place comes from the same equations: this is kriging with a physical drift whose constants stay uncertain.
//!
//! Robust: a measurement that differs from what all others predict by more than three standard deviations gets a larger noise, found
//! again in every round, so that its pull no longer grows with the difference (Huber, 1964).

use super::covariance::Covariance;
use super::error::CalibrationError;
use super::law::{CONSTANTS, CellLaw, ConstantName, Constants, PRIORS, Prior};
use super::link::{Link, Surroundings};
use super::measurement::{Measurement, check};
use geo::Coord;
use nalgebra::{Cholesky, DMatrix, DVector, Dyn};

/// Rounds of the fit; constants move by less than a hundredth of their deviation after four.
const ROUNDS: usize = 6;
/// Measurements that differ from all others' prediction by more standard deviations are doubted.
const OUTLIER: f64 = 3.0;

/// What is assumed before a fit.
#[derive(Clone, Debug, PartialEq)]
pub struct CalibrationOptions {
    pub law: CellLaw,
    pub priors: [Prior; CONSTANTS],
    /// Nothing is known of the azimuth: the fit starts from the likeliest direction.
    pub any_azimuth: bool,
    /// Nothing is known of the antenna's height: the fit starts from another height than the prior's where that is far likelier.
    pub any_height: bool,
    pub covariance: Covariance,
}

impl CalibrationOptions {
    /// The standard priors and covariance, with what is known of the cell's antenna.
    pub fn new(law: CellLaw, azimuth_deg: Option<f64>, height_m: Option<f64>) -> Self {
        let mut priors = PRIORS;
        let azimuth = &mut priors[ConstantName::Azimuth as usize];
        match azimuth_deg {
            Some(azimuth_deg) => azimuth.mean = azimuth_deg,
            None => azimuth.deviation = ANY_AZIMUTH_DEG,
        }
        if let Some(height_m) = height_m {
            priors[ConstantName::AntennaHeight as usize].mean = height_m;
        }
        Self { law, priors, any_azimuth: azimuth_deg.is_none(), any_height: height_m.is_none(), covariance: Covariance::default() }
    }
}

/// A calibrated cell.
pub struct Calibration {
    options: CalibrationOptions,
    /// The priors that the fit started from: the options', but for what is not known of the antenna.
    start: [Prior; CONSTANTS],
    constants: Constants,
    /// Standard deviations of the constants after the fit.
    deviations: Constants,
    links: Vec<Link>,
    /// Per measurement, the law's derivatives over the priors' deviations.
    slopes: Vec<Constants>,
    system: Cholesky<f64, Dyn>,
    /// A^-1 (y - law at the priors' means, linearised).
    weights: DVector<f64>,
    /// From the fitted constants to the most likely ones of the last linearisation, in deviations.
    step: Constants,
    /// Ratio of the errors' variance to the covariance's.
    scale: f64,
    /// -2 log of the measurements' likelihood at the priors, up to a constant.
    misfit: f64,
}

/// Power at a place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    pub power_dbm: f64,
    /// By the fitted law alone.
    pub law_dbm: f64,
    /// Standard deviation of what a measurement there would show about `power_dbm`, dB.
    pub deviation_db: f64,
}

impl Calibration {
    /// Fits the law and the errors to measured power.
    ///
    /// # Errors
    /// Measurements that [`CalibrationError`] lists.
    pub fn fit(surroundings: &Surroundings, measurements: &[Measurement], options: &CalibrationOptions) -> Result<Self, CalibrationError> {
        check(measurements, surroundings.grid())?;
        let links: Vec<Link> = measurements.iter().map(|one| surroundings.link(one.position)).collect();
        let powers = DVector::from_iterator(measurements.len(), measurements.iter().map(|one| one.power_dbm));
        let start = Self::find_start(&links, &powers, options)?;
        Self::fit_from(&start, links, &powers, options)
    }

    /// The same law, priors and start fitted to other measurements, which were checked.
    pub(super) fn refit(&self, links: Vec<Link>, powers: &DVector<f64>) -> Result<Self, CalibrationError> {
        Self::fit_from(&self.start, links, powers, &self.options)
    }

    /// The options' priors, with what is not known of the antenna replaced by its likeliest start. A fit's time grows with the cube of
    /// the measurements' number, so the starts are compared on some of them.
    fn find_start(links: &[Link], powers: &DVector<f64>, options: &CalibrationOptions) -> Result<[Prior; CONSTANTS], CalibrationError> {
        if !(options.any_azimuth || options.any_height) {
            return Ok(options.priors);
        }
        let count = links.len().min(START_MEASUREMENTS);
        let chosen = || (0..count).map(|i| i * links.len() / count);
        let (links, powers): (Vec<Link>, _) =
            (chosen().map(|i| links[i].clone()).collect(), powers.select_rows(&chosen().collect::<Vec<_>>()));
        let directions = (0..AZIMUTHS).map(|start| [f64::from(start) * 360.0 / f64::from(AZIMUTHS), 360.0 / f64::from(AZIMUTHS)]);
        let mut best = match options.any_azimuth {
            true => Self::likeliest(&options.priors, ConstantName::Azimuth, directions, &links, &powers, options)?,
            false => Self::fit_from(&options.priors, links.clone(), &powers, options)?,
        };
        if options.any_height {
            let other = Self::likeliest(&best.start, ConstantName::AntennaHeight, OTHER_HEIGHTS_M, &links, &powers, options)?;
            if best.misfit - other.misfit > VERY_STRONG {
                best = other;
            }
        }
        Ok(best.start)
    }

    /// The likeliest fit of those whose prior of one constant has these means and deviations.
    fn likeliest(
        priors: &[Prior; CONSTANTS],
        name: ConstantName,
        starts: impl IntoIterator<Item = [f64; 2]>,
        links: &[Link],
        powers: &DVector<f64>,
        options: &CalibrationOptions,
    ) -> Result<Self, CalibrationError> {
        let mut best: Option<Self> = None;
        for [mean, deviation] in starts {
            let mut priors = *priors;
            priors[name as usize] = Prior { mean, deviation, ..priors[name as usize] };
            let fitted = Self::fit_from(&priors, links.to_vec(), powers, options)?;
            if best.as_ref().is_none_or(|best| fitted.misfit < best.misfit) {
                best = Some(fitted);
            }
        }
        best.ok_or(CalibrationError::Singular)
    }

    fn fit_from(
        start: &[Prior; CONSTANTS],
        links: Vec<Link>,
        powers: &DVector<f64>,
        options: &CalibrationOptions,
    ) -> Result<Self, CalibrationError> {
        let count = links.len();
        let errors = DMatrix::from_fn(count, count, |i, j| options.covariance.between(&links[i], &links[j]));
        let noise = options.covariance.noise_db * options.covariance.noise_db;
        let mut constants: Constants = std::array::from_fn(|i| start[i].mean);
        let mut doubts = vec![1.0; count];
        let mut round = 0;
        loop {
            let lines: Vec<(f64, Constants)> = links.iter().map(|link| options.law.linearised(&constants, start, link)).collect();
            let slopes = DMatrix::from_fn(count, CONSTANTS, |i, k| lines[i].1[k]);
            let from_mean = DVector::from_fn(CONSTANTS, |k, _| (constants[k] - start[k].mean) / start[k].deviation);
            let law_at_means = DVector::from_fn(count, |i, _| lines[i].0) - &slopes * &from_mean;
            let mut system = &slopes * slopes.transpose() + &errors;
            for (i, doubt) in doubts.iter().enumerate() {
                system[(i, i)] += noise * doubt;
            }
            let system = Cholesky::new(system).ok_or(CalibrationError::Singular)?;
            let unexplained = powers - law_at_means;
            let weights = system.solve(&unexplained);
            let likely = slopes.tr_mul(&weights);
            round += 1;
            if round == ROUNDS {
                let step = std::array::from_fn(|k| likely[k] - from_mean[k]);
                let spread = system.solve(&slopes);
                let deviations = std::array::from_fn(|k| {
                    let left = 1.0 - slopes.column(k).dot(&spread.column(k));
                    start[k].deviation * left.max(0.0).sqrt()
                });
                // The whitened measurements' mean square is 1 where the covariance is right.
                let square = unexplained.dot(&weights);
                let scale = (square + SCALE_WEIGHT) / (count as f64 + SCALE_WEIGHT);
                let misfit = square + 2.0 * system.l_dirty().diagonal().map(f64::ln).sum();
                let slopes = lines.into_iter().map(|(_, slopes)| slopes).collect();
                let (options, start) = (options.clone(), *start);
                return Ok(Self { options, start, constants, deviations, links, slopes, system, weights, step, scale, misfit });
            }
            doubts = doubts_of(&system, &weights, noise, &doubts);
            constants = std::array::from_fn(|k| (start[k].mean + start[k].deviation * likely[k]).clamp(start[k].least, start[k].most));
        }
    }

    /// The fitted constants.
    pub fn constants(&self) -> &Constants {
        &self.constants
    }

    /// Standard deviations of the constants after the fit, at most those of their priors.
    pub fn deviations(&self) -> &Constants {
        &self.deviations
    }

    /// What was assumed before the fit.
    pub fn options(&self) -> &CalibrationOptions {
        &self.options
    }

    /// A sentence without a full stop where the assumed height of the antenna explains the measurements far worse than the one that the
    /// fit started from.
    pub fn height_warning(&self) -> Option<String> {
        let [assumed, start] = [&self.options.priors, &self.start].map(|priors| priors[ConstantName::AntennaHeight as usize]);
        let [assumed_m, start_m] = [assumed.mean, start.mean];
        (start != assumed).then(|| {
            let deviation_m = start.deviation;
            format!(
                "the antenna's height is not given; the fit starts from {start_m} +- {deviation_m} m, because {assumed_m} m explains the \
                 measurements far worse"
            )
        })
    }

    /// Power at a place of the map.
    pub fn predict(&self, surroundings: &Surroundings, position: Coord<f64>) -> Prediction {
        self.predict_link(&surroundings.link(position))
    }

    /// Power at a link's far end.
    pub fn predict_link(&self, link: &Link) -> Prediction {
        let covariance = &self.options.covariance;
        let (power_dbm, slopes) = self.options.law.linearised(&self.constants, &self.start, link);
        let law_dbm = power_dbm + dot(&slopes, &self.step);
        let near = DVector::from_iterator(self.links.len(), self.links.iter().map(|other| covariance.between(link, other)));
        let shared = DVector::from_fn(near.len(), |i, _| near[i] + dot(&slopes, &self.slopes[i]));
        let before = covariance.at_a_place() + dot(&slopes, &slopes);
        let whitened = self.system.l_dirty().solve_lower_triangular(&shared).unwrap_or_else(|| DVector::zeros(near.len()));
        let noise = covariance.noise_db * covariance.noise_db;
        let variance = (before - whitened.norm_squared()).max(0.0) + noise;
        Prediction { power_dbm: law_dbm + near.dot(&self.weights), law_dbm, deviation_db: (self.scale * variance).sqrt() }
    }
}

/// The trust in the covariance's own scale, in measurements.
const SCALE_WEIGHT: f64 = 10.0;
/// Measurements that starts are compared on.
const START_MEASUREMENTS: usize = 300;
/// Standard deviation of an azimuth that may be any, degrees: 360 over the root of twelve.
const ANY_AZIMUTH_DEG: f64 = 104.0;
/// Directions that an unknown azimuth starts from.
const AZIMUTHS: u8 = 12;
/// Means and deviations that an unknown height of the antenna also starts from, metres.
const OTHER_HEIGHTS_M: [[f64; 2]; 3] = [[5.0, 2.0], [10.0, 4.0], [40.0, 16.0]];
/// Such a height is taken where the evidence for it, 2 ln of the likelihoods' ratio, is "very strong" (Kass and Raftery, 1995): on measured
/// cells the four differ by less, and say nothing of the height.
const VERY_STRONG: f64 = 10.0;

fn dot(a: &Constants, b: &Constants) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// How much more noise every measurement has than the nugget. What a measurement differs from the prediction by all others follows
/// from the inverse (leave-one-out; Dubrule, 1983): its variance is 1 / (A^-1)_ii, and it is weight_i times that.
fn doubts_of(system: &Cholesky<f64, Dyn>, weights: &DVector<f64>, noise: f64, doubts: &[f64]) -> Vec<f64> {
    let inverse = system.inverse();
    let doubt = |(i, &known): (usize, &f64)| {
        let variance = 1.0 / inverse[(i, i)];
        let difference = weights[i] * variance;
        // Without the doubt so far, the difference's variance is this.
        let expected = (variance - noise * (known - 1.0)).max(noise);
        let surprise = difference * difference / expected;
        let factor = (surprise / (OUTLIER * OUTLIER)).max(1.0);
        1.0 + (factor - 1.0) * expected / noise
    };
    doubts.iter().enumerate().map(doubt).collect()
}
