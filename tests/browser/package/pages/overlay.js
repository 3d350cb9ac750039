// A radio map on a map library's map. `show` makes the library's map, filling the page, and is each library's own; the test then adds,
// changes and removes overlays through `window.overlay`, and looks at screenshots.

import { createEngine } from 'radiodiff-web';

const block = (lng, lat) => [[0, 0], [6e-4, 0], [6e-4, 2e-4], [0, 2e-4], [0, 0]].map(([east, north]) => [lng + east, lat + north]);
/** Far north, where rows of degrees and rows of Mercator differ most. */
const CENTER = { lng: 24.94, lat: 60.17 };
const ZOOM = 16;

/** One colour for every value, so that a screenshot shows where the overlay is. */
const painted = (color) => ({ palette: () => color, opacity: 1 });

export async function start(show) {
  const view = await show(document.querySelector('#map'), CENTER, ZOOM);
  const engine = await createEngine();
  const draw = (east) => engine.predict({
    buildings: { type: 'MultiPolygon', coordinates: [[block(CENTER.lng + east, CENTER.lat)], [block(CENTER.lng + east + 0.001, CENTER.lat)]] },
    transmitters: [{ lng: CENTER.lng + east + 8e-4, lat: CENTER.lat + 1e-4 }],
  });
  const maps = [await draw(0), await draw(-0.002)];
  let overlay;
  window.overlay = {
    add: (map, color) => { overlay = view.add(maps[map], painted(color)); return view.drawn(); },
    update: (map, color) => { overlay.update(maps[map], painted(color)); return view.drawn(); },
    remove: () => { overlay.remove(); return view.drawn(); },
    /** Where the library puts the map's corners, in pixels of the page: left, top, right, bottom. */
    expected: (map) => {
      const { west, south, east, north } = maps[map].bounds;
      return [...view.project(west, north), ...view.project(east, south)];
    },
    /** Milliseconds of the page's own work for an update. */
    dragged: (times) => {
      const started = performance.now();
      for (let i = 0; i < times; i += 1) overlay.update(maps[0], { palette: 'turbo' });
      return (performance.now() - started) / times;
    },
  };
  document.documentElement.dataset.result = 'true';
}

/** Two frames from now, what was changed is on the screen. */
export const frames = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
