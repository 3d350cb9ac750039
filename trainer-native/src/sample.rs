//! `trainer sample`: the maps that a network draws of a dataset's scenes, as a folder of gain maps like a simulation's, which
//! `trainer evaluate --prediction` compares with another.

use crate::drawing::{DrawOptions, MapDrawer};
use crate::selection::MapSelection;
use anyhow::Result;
use indicatif::ProgressIterator;
use radiodiff_dataset::files;
use radiodiff_radio::geometry::PreparedScene;
use radiodiff_radio::map::GrayCodec;
use std::path::PathBuf;

/// Draw a dataset's maps by a network, as gain maps
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Weights of the network: a file, or the folder of a checkpoint.
    #[arg(long)]
    weights: PathBuf,
    /// Folder in RadioMapSeer's layout, whose scenes and transmitters are drawn.
    #[arg(long)]
    data: PathBuf,
    #[command(flatten)]
    selection: MapSelection,
    #[command(flatten)]
    drawing: DrawOptions,
    /// Folder of the maps, `{map}_{tx}.png`; with several samples a folder `seed-N` in it for each, of a network of
    /// quantiles `quantile-0.05` and so on.
    #[arg(long)]
    out: PathBuf,
}

/// Runs `trainer sample`.
pub fn run(args: &Args) -> Result<()> {
    let (dataset, count) = args.selection.open(&args.data)?;
    let drawer = MapDrawer::open(&args.weights, args.drawing)?;
    let names = drawer.maps();
    let folders: Vec<PathBuf> =
        if names.len() == 1 { vec![args.out.clone()] } else { names.iter().map(|name| args.out.join(name)).collect() };
    folders.iter().try_for_each(|folder| files::make_folder(folder))?;
    for i in (0..count).progress() {
        let sample = dataset.load(i)?;
        let maps = drawer.draw(&PreparedScene::new(&sample.scene), &sample)?;
        for (folder, map) in folders.iter().zip(&maps) {
            let levels: Vec<u8> = GrayCodec::default().encode_map(map).into_iter().map(|gray| (gray * 255.0).round() as u8).collect();
            let side = sample.scene.grid.size as u32;
            files::write_gray_png(&folder.join(dataset.name(i) + ".png"), &levels, side, side)?;
        }
    }
    println!("{count} maps in {}", args.out.display());
    Ok(())
}
