//! `radiodiff serve`: maps over HTTP.
//!
//! In flow scenes, read once as the server starts, and requests in CloudRF's words; out flow plans as JSON, with links to their layers
//! as files and as tiles of web maps ([`handlers`]). A request holds one of a bounded number of places from its first byte to its
//! answer, so that memory stays flat and whoever comes when all are taken is told to come again (503). Maps are computed on as many
//! threads as there are cores. Plans that were drawn are kept, the oldest given up first ([`store`]).

mod error;
mod handlers;
mod outlines;
mod plan;
mod store;

use crate::drawing::{AreaArgs, MapScene, ModelArgs, StandardGrid};
use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::{get, post};
use handlers::App;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use store::PlanStore;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::CorsLayer;
use tower_http::timeout::TimeoutLayer;

/// Requests that wait for a thread, for each thread.
const WAITING_PER_THREAD: usize = 32;

/// Answer requests for maps over HTTP
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Files of buildings, each a scene named by its file's name without the ending; requests may also bring their own buildings
    scenes: Vec<PathBuf>,
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8088", value_parser = address)]
    listen: String,
    #[command(flatten)]
    area: AreaArgs,
    #[command(flatten)]
    model: ModelArgs,
    /// Largest request, MiB
    #[arg(long, value_name = "MIB", default_value_t = 4)]
    max_body_mib: usize,
    /// Most corners of the buildings, and of the cars, that a request brings
    #[arg(long, value_name = "N", default_value_t = 50_000)]
    max_corners: usize,
    /// Memory for plans that were drawn, MiB
    #[arg(long, value_name = "MIB", default_value_t = 256)]
    keep_mib: usize,
    /// Seconds after which a request is given up
    #[arg(long, value_name = "S", default_value_t = 30)]
    timeout_s: u64,
    /// Threads that compute maps [default: all cores]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Let web pages of any origin ask (CORS)
    #[arg(long)]
    any_origin: bool,
}

/// `ADDRESS:PORT`; the address may be a name, such as localhost.
fn address(text: &str) -> Result<String, String> {
    let sound = text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    if sound { Ok(text.to_owned()) } else { Err("expected ADDRESS:PORT, such as 127.0.0.1:8088 or localhost:8088".into()) }
}

/// Runs the command until it is interrupted (Ctrl-C, SIGTERM); requests that are being answered are finished.
///
/// # Errors
/// Scenes that cannot be read, an option of ray tracing beside another model, and a port that is taken.
pub fn run(args: &Args) -> Result<()> {
    args.model.check()?;
    let threads = args.threads.map_or_else(std::thread::available_parallelism, |threads| threads.try_into().map_err(std::io::Error::other));
    let threads = threads.context("--threads")?.get();
    let app = Arc::new(App {
        scenes: scenes(args)?,
        model: args.model,
        store: PlanStore::new(args.keep_mib << 20),
        places: Semaphore::new(threads * (1 + WAITING_PER_THREAD)),
        threads: Arc::new(Semaphore::new(threads)),
        max_corners: args.max_corners,
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the server's threads")?;
    runtime.block_on(serve(args, router(args, app)))
}

/// The scenes by name.
fn scenes(args: &Args) -> Result<BTreeMap<String, Arc<MapScene>>> {
    let grid = args.area.grid(StandardGrid::default())?;
    let mut scenes = BTreeMap::new();
    for path in &args.scenes {
        let scene = MapScene::read(path, args.area.cars.as_deref(), &args.area.import_options(grid))?;
        scene.assumptions().iter().for_each(|assumption| eprintln!("{}: note: {assumption}", path.display()));
        scene.warnings().iter().for_each(|warning| eprintln!("{}: warning: {warning}", path.display()));
        let name = scene_name(path);
        eprintln!("the scene {name}: {} buildings", scene.scene().buildings.len());
        ensure!(scenes.insert(name.clone(), Arc::new(scene)).is_none(), "two scenes are named {name}: {}", path.display());
    }
    Ok(scenes)
}

/// A file's name without its endings: `munich` of `munich.osm.gz`.
fn scene_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.split('.').find(|part| !part.is_empty()).unwrap_or("scene").to_owned()
}

fn router(args: &Args, app: Arc<App>) -> Router {
    let routes = Router::new()
        .route("/v1/predict", post(handlers::predict))
        .route("/v1/scenes", get(handlers::scenes))
        .route("/v1/plans/{id}/{file}", get(handlers::file))
        .route("/v1/plans/{id}/{layer}/{zoom}/{x}/{y}", get(handlers::tile))
        .layer(axum::middleware::from_fn_with_state(app.clone(), handlers::admit))
        .fallback(handlers::no_such_address)
        .method_not_allowed_fallback(handlers::no_such_method)
        // Asked by supervisors, so it has no need of a place.
        .route("/health", get(|| async { "ok" }))
        .layer(DefaultBodyLimit::max(args.max_body_mib << 20))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, Duration::from_secs(args.timeout_s)))
        .layer(CatchPanicLayer::new())
        .with_state(app);
    if args.any_origin { routes.layer(CorsLayer::permissive()) } else { routes }
}

async fn serve(args: &Args, router: Router) -> Result<()> {
    let listener = TcpListener::bind(&args.listen).await.with_context(|| format!("listening on {}", args.listen))?;
    let address = listener.local_addr().context("asking for the server's address")?;
    println!("listening on http://{address}");
    axum::serve(listener, router).with_graceful_shutdown(interrupted()).await.context("serving")?;
    eprintln!("all requests are answered; goodbye");
    Ok(())
}

/// Waits for Ctrl-C or SIGTERM.
async fn interrupted() {
    let interrupt = async {
        // A failure to listen for it is no reason to stop.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}
