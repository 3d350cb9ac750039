//! Answers to requests.

use super::error::Refusal;
use super::plan::{AskedPlan, DrawnPlan};
use super::store::PlanStore;
use crate::drawing::{MapScene, MapSource, ModelArgs};
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, Request, State};
use axum::http::{Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use radiodiff_planning::export::{ExportFormat, ExportOptions, PlacemarkPoint, TILE_PIXELS, TileAddress, export, png_of, tile_rgba};
use radiodiff_planning::raster::PlanLayer;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// Levels of contours below and above a plan's threshold, dB.
const CONTOUR_STEPS_DB: [f64; 3] = [-10.0, 0.0, 10.0];
/// The answer to a body that is too long.
const TOO_LONG: &str = "the request is larger than this server takes: leave out what lies off the map, or start the server with a larger \
                        --max-body-mib";

/// What all requests share.
pub struct App {
    pub scenes: BTreeMap<String, Arc<MapScene>>,
    pub model: ModelArgs,
    pub store: PlanStore,
    /// Requests that are being answered or wait for a thread.
    pub places: Semaphore,
    /// Threads that compute.
    pub threads: Arc<Semaphore>,
    pub max_corners: usize,
}

/// Lets a request in where there is a place for it, which it holds until it is answered; its body is not read before.
pub async fn admit(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match app.places.try_acquire() {
        Ok(_place) => next.run(request).await,
        Err(_) => Refusal::busy().into_response(),
    }
}

/// What can be asked for, in refusals.
const ADDRESSES: &str = "POST /v1/predict, GET /v1/plans/ID/LAYER.ENDING, GET /v1/plans/ID/LAYER/Z/X/Y.png, GET /v1/scenes, GET /health";

/// The answer where nothing is.
pub async fn no_such_address(uri: Uri) -> Refusal {
    Refusal::not_found(format!("there is nothing at {}; there are: {ADDRESSES}", uri.path()))
}

/// The answer to GET where POST is meant, and the other way round.
pub async fn no_such_method(method: Method, uri: Uri) -> Refusal {
    let message = format!("{method} is not answered at {}; there are: {ADDRESSES}", uri.path());
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "method", message)
}

/// Runs `work` on one of the threads that compute, once one is free. Work whose asker has gone away is still done: it ends by itself,
/// since grids, transmitters and corners are bounded, and it holds its thread until then.
async fn compute<T: Send + 'static>(app: Arc<App>, work: impl FnOnce(&App) -> Result<T, Refusal> + Send + 'static) -> Result<T, Refusal> {
    // The work takes the permit along, so that a request that was given up does not free a busy thread.
    let thread = app.threads.clone().acquire_owned().await.map_err(|error| Refusal::failed(&error))?;
    let worked = spawn_blocking(move || {
        let _thread = thread;
        work(&app)
    });
    worked.await.map_err(|error| Refusal::failed(&error))?
}

/// The names of the scenes, their bounds and their grids.
pub async fn scenes(State(app): State<Arc<App>>) -> Json<Value> {
    let scene = |(name, scene): (&String, &Arc<MapScene>)| (name.clone(), json!({ "bounds": scene.bounds(), "grid": scene.grid() }));
    Json(app.scenes.iter().map(scene).collect::<serde_json::Map<String, Value>>().into())
}

/// Draws a plan; its reply says where its layers are.
pub async fn predict(State(app): State<Arc<App>>, body: Result<Bytes, BytesRejection>) -> Result<Json<Value>, Refusal> {
    let body = body.map_err(|error| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "body", TOO_LONG),
        status => Refusal::new(status, "body", error.body_text()),
    })?;
    let drawn = compute(app, move |app| {
        let asked = AskedPlan::parse(&body, app.max_corners)?;
        let map = asked.scene(&app.scenes)?;
        let plan = Arc::new(DrawnPlan::draw(&asked.request, &map, asked.has_buildings(), &MapSource::Model(app.model))?);
        let id = app.store.keep(plan.clone());
        Ok(plan.reply(&id))
    });
    Ok(Json(drawn.await?))
}

fn plan(app: &App, id: &str) -> Result<Arc<DrawnPlan>, Refusal> {
    app.store
        .get(id)
        .ok_or_else(|| Refusal::not_found(format!("there is no plan {id}, or it was given up for later ones: ask for it again")))
}

fn layer(name: &str) -> Result<PlanLayer, Refusal> {
    let names = || PlanLayer::ALL.map(PlanLayer::name).join(", ");
    let found = PlanLayer::ALL.into_iter().find(|layer| layer.name() == name);
    found.ok_or_else(|| Refusal::not_found(format!("there is no layer {name:?}; the layers are {}", names())))
}

/// A layer as a file: `received-power.tif`. Of formats with several files, the main one.
pub async fn file(State(app): State<Arc<App>>, Path((id, name)): Path<(String, String)>) -> Result<Response, Refusal> {
    let Some((layer_name, extension)) = name.split_once('.') else {
        return Err(Refusal::not_found(format!("expected a layer and an ending, such as received-power.tif, found {name:?}")));
    };
    let format = ExportFormat::from_extension(extension).filter(|format| *format != ExportFormat::Kml).ok_or_else(|| {
        let endings = ExportFormat::ALL.into_iter().filter(|format| *format != ExportFormat::Kml).map(ExportFormat::extension);
        Refusal::not_found(format!("there is no format {extension:?}; the endings are {}", endings.collect::<Vec<_>>().join(", ")))
    })?;
    let layer = layer(layer_name)?;
    let plan = plan(&app, &id)?;
    let bytes = compute(app, move |_| {
        let stem = layer.name();
        let files = export(plan.raster(layer), format, &options(&plan, layer), stem).map_err(|error| Refusal::failed(&error))?;
        files.into_iter().next().map(|file| file.bytes).ok_or_else(|| Refusal::failed(&"nothing was exported"))
    });
    Ok(([(header::CONTENT_TYPE, format.media_type())], bytes.await?).into_response())
}

fn options(plan: &DrawnPlan, layer: PlanLayer) -> ExportOptions {
    let look = plan.look(layer);
    let levels = match layer {
        PlanLayer::ReceivedPower => CONTOUR_STEPS_DB.map(|step| plan.threshold_dbm() + step).to_vec(),
        PlanLayer::BestServer => (1..=plan.stations().len()).map(|number| number as f64).collect(),
        _ => {
            let (first, last) = ((look.low / 10.0).ceil() as i64, (look.high / 10.0).floor() as i64);
            (first..=last).map(|level| level as f64 * 10.0).collect()
        }
    };
    let points = plan.stations().iter().enumerate().map(|(i, station)| PlacemarkPoint {
        name: format!("transmitter {}", i + 1),
        lng: station.lng_lat.x,
        lat: station.lng_lat.y,
    });
    ExportOptions { look, levels, title: layer.title().to_owned(), points: points.collect() }
}

/// A tile of a web map; 204 where it lies off the map.
pub async fn tile(
    State(app): State<Arc<App>>,
    Path((id, layer_name, zoom, x, y)): Path<(String, String, u32, u32, String)>,
) -> Result<Response, Refusal> {
    let address = y.strip_suffix(".png").and_then(|y| TileAddress::new(zoom, x, y.parse().ok()?));
    let address = address.ok_or_else(|| Refusal::not_found(format!("there is no tile {zoom}/{x}/{y}")))?;
    let layer = layer(&layer_name)?;
    let plan = plan(&app, &id)?;
    let image = compute(app, move |_| {
        let pixels = tile_rgba(plan.raster(layer), &plan.look(layer), address);
        pixels.map(|pixels| png_of(TILE_PIXELS, &pixels)).transpose().map_err(|error| Refusal::failed(&error))
    });
    Ok(match image.await? {
        Some(png) => ([(header::CONTENT_TYPE, "image/png"), (header::CACHE_CONTROL, "public, max-age=3600")], png).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}
