//! Whole files: written so that an interrupted run never leaves half of one (to a temporary name beside the place, synced,
//! renamed), and texts read whatever program wrote them.

use anyhow::{Context, Result, ensure};
use std::io::Write;
use std::path::Path;
use std::process::Command;

/// Prefix of the names of files that are not whole yet.
const TEMPORARY: &str = ".writing-";

/// A file of such a name in the folder of `path`.
fn temporary(path: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY);
    // Readable as any other file the user makes: temporary files are private by default.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let missing = || std::io::Error::new(std::io::ErrorKind::NotFound, format!("there is no folder {}", folder.display()));
    builder.tempfile_in(folder).map_err(|error| if folder.is_dir() { error } else { missing() })
}

/// Fails where [`write`] to `path` would, so that a place that cannot be written is known before the work whose result goes there.
pub fn check_place(path: &Path) -> Result<()> {
    ensure!(!path.is_dir(), "writing {}: it is a folder, expected the name of a file", path.display());
    temporary(path).map(drop).with_context(|| format!("writing {}", path.display()))
}

/// Writes `bytes` to `path`, replacing what was there only once all of them are on the disk.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let attempt = || -> std::io::Result<()> {
        let mut file = temporary(path)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    attempt().with_context(|| format!("writing {}", path.display()))
}

/// Reads a text in UTF-8, without the byte order mark that some programs put before it.
///
/// # Errors
/// A file that cannot be read or is no UTF-8, UTF-16 for one.
pub fn read_text(path: &Path) -> Result<String> {
    let shown = path.display();
    let bytes = std::fs::read(path).with_context(|| format!("{shown} cannot be read"))?;
    ensure!(!(bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff])), "{shown} is UTF-16 text; save it as UTF-8");
    ensure!(!bytes.contains(&0), "{shown} is no text, but of a binary format such as a spreadsheet's; save it as text (UTF-8)");
    let text = String::from_utf8(bytes).with_context(|| format!("{shown} is no UTF-8 text"))?;
    Ok(text.strip_prefix('\u{feff}').map_or_else(|| text.clone(), str::to_owned))
}

/// Makes a folder where it is missing, and removes the half-written files that a killed run left in it.
pub fn make_folder(folder: &Path) -> Result<()> {
    make_shared_folder(folder)?;
    let remove_leftovers = || -> std::io::Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    };
    remove_leftovers().with_context(|| format!("removing half-written files from {}", folder.display()))
}

/// Makes a folder where it is missing. Half-written files stay: other processes may be writing them.
pub fn make_shared_folder(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("making the folder {}", folder.display()))
}

/// An 8-bit gray PNG of `width` x `height` pixels, row-major.
pub fn write_gray_png(path: &Path, pixels: &[u8], width: u32, height: u32) -> Result<()> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::write_buffer_with_format(&mut bytes, pixels, width, height, image::ExtendedColorType::L8, image::ImageFormat::Png)
        .with_context(|| format!("encoding {}", path.display()))?;
    write(path, &bytes.into_inner())
}

/// The commit of the checkout that this program was built in, with a mark where it has changes; "unknown" where the checkout is gone.
pub fn commit() -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .args(["-C", env!("CARGO_MANIFEST_DIR")])
            .args(arguments)
            .output()
            .ok()
            .filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]) else { return String::from("unknown") };
    let changed = git(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|changes| !changes.is_empty());
    if changed { commit + " with changes" } else { commit }
}
