//! An antenna in the words of the command line.

use anyhow::{Context, Result, ensure};
use radiodiff_dataset::files;
use radiodiff_radio::propagation::AntennaRequest;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// JSON in CloudRF's words, or a file: of such JSON, or a `.csv` of a measured pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AntennaArg {
    Json(String),
    File(PathBuf),
}

impl FromStr for AntennaArg {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let json = text.trim_start().starts_with('{');
        Ok(if json { Self::Json(text.to_owned()) } else { Self::File(Path::new(text).to_owned()) })
    }
}

impl AntennaArg {
    /// # Errors
    /// A file that cannot be read; a text that is no antenna.
    pub fn request(&self) -> Result<AntennaRequest> {
        let json = match self {
            Self::Json(text) => text.clone(),
            Self::File(path) => {
                let text = files::read_text(path)?;
                let table = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
                // Patterns come in many formats (MSI, NSMA); their files begin with anything but a brace.
                ensure!(
                    table || text.trim_start().starts_with('{'),
                    "{} is no antenna that can be read: expected JSON such as {{\"azi\": 120, \"hbw\": 65}}, or a pattern named .csv whose lines are \
                     azimuth_deg,elevation_deg,gain_dbi",
                    path.display()
                );
                if table { serde_json::json!({ "csv": text }).to_string() } else { text }
            }
        };
        let place = || match self {
            Self::Json(_) => String::from("--antenna"),
            Self::File(path) => path.display().to_string(),
        };
        AntennaRequest::from_json(&json).with_context(place)
    }
}
