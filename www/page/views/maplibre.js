// The map on MapLibre GL: ground, radio map, extruded buildings. MapLibre lies beside the page and is loaded after the first map, so
// that it delays nothing. The radio map goes through the package's adapter, as in any other application.

import { addRadioMap } from '../../adapters/maplibre.js';
import { collectionOf } from '../plan/cars.js';
import { DOT_RADIUS, PADDING } from './flat.js';
import { BELOW, EXTRUDED, SOURCES, edgeOf, groundStyle, pointsOf, plainStyle, sceneLayers } from './style.js';

const TILT_DEG = 48;
const EMPTY = { type: 'FeatureCollection', features: [] };

/**
 * Starts MapLibre in `container` on a scene; rejects where there is no WebGL.
 * `ground` is { theme, background, attribution } of style.js; `moved` is called when places have moved on the screen, `clicked` with a
 * place, `trouble` with what could not be loaded.
 */
export async function mapLibreView(container, { scene, tilted, ground, moved, clicked, trouble }) {
  document.head.append(Object.assign(document.createElement('link'), { rel: 'stylesheet', href: 'maplibre/maplibre-gl.css' }));
  const library = await import(new URL('maplibre/maplibre-gl.mjs', document.baseURI).href);
  library.setWorkerUrl(new URL('maplibre/maplibre-gl-worker.mjs', document.baseURI).href);
  let [overlay, shown, footprints, cars, dots] = [undefined, undefined, EMPTY, EMPTY, EMPTY];
  const box = ({ west, south, east, north }) => [[west, south], [east, north]];
  const map = new library.Map({
    container,
    style: plainStyle(ground.theme),
    bounds: box(scene.bounds),
    fitBoundsOptions: { padding: PADDING, pitch: tilted ? TILT_DEG : 0 },
    attributionControl: false,
    maxPitch: 75,
    canvasContextAttributes: { antialias: true },
  });
  map.addControl(new library.AttributionControl({ compact: true }), 'bottom-right');
  map.addControl(new library.ScaleControl(), 'bottom-right');

  /** The page's sources and layers, anew after each change of style. */
  function build() {
    map.addSource(SOURCES.edge, { type: 'geojson', data: edgeOf(scene.bounds) });
    map.addSource(SOURCES.buildings, { type: 'geojson', data: footprints });
    map.addSource(SOURCES.cars, { type: 'geojson', data: cars });
    map.addSource(SOURCES.dots, { type: 'geojson', data: dots });
    for (const layer of sceneLayers(ground.theme, tilted, DOT_RADIUS)) map.addLayer(layer);
    overlay = undefined;
    show(shown);
  }

  function show(picture) {
    shown = picture;
    if (!map.getLayer(BELOW)) return;
    if (!picture) {
      overlay?.remove();
      overlay = undefined;
    } else if (overlay) {
      overlay.update(picture.map, picture.options);
    } else {
      overlay = addRadioMap(map, picture.map, { ...picture.options, beforeId: BELOW });
    }
  }

  const motion = () => ({ duration: matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : 500 });
  const fit = () => map.fitBounds(box(scene.bounds), { padding: PADDING, pitch: tilted ? TILT_DEG : 0, bearing: map.getBearing(), ...motion() });

  /** Lays the ground that the settings name; where it cannot be had, the page's own stays. */
  async function lay(next) {
    ground = next;
    let style = plainStyle(ground.theme);
    try {
      style = await groundStyle(ground);
    } catch (error) {
      trouble(error);
    }
    if (ground === next) map.setStyle(style, { diff: false });
  }

  await new Promise((resolve) => map.once('style.load', resolve));
  map.on('style.load', build);
  build();
  if (ground.background) lay(ground);
  map.on('move', moved);
  map.on('resize', moved);
  map.on('click', ({ lngLat: { lng, lat }, point: { x, y } }) => clicked({ lng, lat }, { x, y }));
  map.on('error', ({ error }) => trouble(error));

  return {
    setScene(next) {
      scene = next;
      footprints = EMPTY;
      show(undefined);
      map.getSource(SOURCES.edge)?.setData(edgeOf(scene.bounds));
      map.getSource(SOURCES.buildings)?.setData(footprints);
      map.fitBounds(box(scene.bounds), { padding: PADDING, pitch: tilted ? TILT_DEG : 0, bearing: 0, duration: 0 });
    },
    setFootprints(collection) {
      footprints = collection;
      map.getSource(SOURCES.buildings)?.setData(footprints);
    },
    show,
    showCars(next) {
      cars = collectionOf(next);
      map.getSource(SOURCES.cars)?.setData(cars);
    },
    showDots(places) {
      dots = pointsOf(places);
      map.getSource(SOURCES.dots)?.setData(dots);
    },
    project: ({ lng, lat }) => map.project([lng, lat]),
    unproject({ x, y }) {
      const { lng, lat } = map.unproject([x, y]);
      return { lng, lat };
    },
    bearing: () => map.getBearing(),
    setTilt(next) {
      tilted = next;
      // While another style is loaded there are no layers; `build` makes them as they should be.
      if (map.getLayer(BELOW)) {
        map.setLayoutProperty(BELOW, 'visibility', tilted ? 'none' : 'visible');
        map.setLayoutProperty(EXTRUDED, 'visibility', tilted ? 'visible' : 'none');
      }
      fit();
    },
    setGround: lay,
    zoomIn: () => map.zoomIn(motion()),
    zoomOut: () => map.zoomOut(motion()),
    fit,
    /** True once nothing is left to load or to draw. */
    idle: () => map.loaded() && !map.isMoving(),
    remove: () => map.remove(),
  };
}
