mod cities;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), Into::into);
    match arguments.first().map(String::as_str) {
        Some("cities") => cities::run(&arguments[1..], &root, &target),
        _ => anyhow::bail!("usage: cargo xtask cities [--scenes]"),
    }
}
