// The map without a map library: the radio map as a square with the buildings' mask over it. It shows the first map while MapLibre
// loads, and stays where there is no WebGL.

const INSIDE = 98;
const EDGE = 74;
const CAR = '#4a5464';
/** Of a measured place, in pixels of the page; MapLibre's view has the same. */
export const DOT_RADIUS = 3.5;
/** Kept free around the map, in pixels of the page; MapLibre's camera begins with the same. */
export const PADDING = { top: 64, right: 24, bottom: 24, left: 24 };

/** `moved` is called when places have moved on the screen. */
export function flatView(canvas, { moved }) {
  const view = canvas.getContext('2d');
  const image = new OffscreenCanvas(1, 1);
  let scene;
  let buildings;
  let shown;
  let cars;
  let dots = [];

  function square() {
    const { clientWidth, clientHeight } = canvas;
    const [width, height] = [clientWidth - PADDING.left - PADDING.right, clientHeight - PADDING.top - PADDING.bottom];
    const side = Math.max(1, Math.min(width, height));
    return { left: PADDING.left + (width - side) / 2, top: PADDING.top + (height - side) / 2, side };
  }

  function paint() {
    const ratio = devicePixelRatio || 1;
    Object.assign(canvas, { width: canvas.clientWidth * ratio, height: canvas.clientHeight * ratio });
    if (!scene) return;
    buildings ??= buildingsLayer(scene);
    view.scale(ratio, ratio);
    paintMap(view, square(), { bounds: scene.bounds, buildings, image, opacity: shown?.opacity, cars, dots });
  }

  function project({ lng, lat }) {
    return pointOf({ lng, lat }, scene.bounds, square());
  }

  new ResizeObserver(() => {
    paint();
    moved();
  }).observe(canvas);

  return {
    setScene(next) {
      [scene, buildings, shown] = [next, undefined, undefined];
      moved();
      // The scene's map is asked for first: it is drawn while the buildings are painted.
      setTimeout(paint);
    },
    /** `picture` is { map, options } of layers/shown.js, or undefined. */
    show(picture) {
      shown = picture?.options;
      if (picture) {
        paintPicture(image, picture);
      }
      paint();
    },
    showCars(next) {
      cars = next;
      paint();
    },
    showDots(next) {
      dots = next;
      paint();
    },
    project,
    unproject({ x, y }) {
      const { west, south, east, north } = scene.bounds;
      const { left, top, side } = square();
      return { lng: west + ((x - left) / side) * (east - west), lat: north - ((y - top) / side) * (north - south) };
    },
    bearing: () => 0,
  };
}

/** Where a place is on a canvas whose square { left, top, side } shows some bounds. */
export function pointOf({ lng, lat }, { west, south, east, north }, { left, top, side }) {
  return { x: left + ((lng - west) / (east - west)) * side, y: top + ((north - lat) / (north - south)) * side };
}

/** Makes a canvas the picture of a map, pixel by pixel; the picture is { map, options } of layers/shown.js. */
export function paintPicture(canvas, { map, options }) {
  Object.assign(canvas, { width: map.width, height: map.height });
  canvas.getContext('2d').putImageData(map.toImage(options), 0, 0);
}

/** Paints a map into a square of a canvas: its picture, without an opacity none, its buildings as a canvas, cars and measured places. */
export function paintMap(view, square, { bounds, buildings, image, opacity, cars, dots }) {
  const { left, top, side } = square;
  view.imageSmoothingEnabled = false;
  if (opacity !== undefined) {
    view.globalAlpha = opacity;
    view.drawImage(image, left, top, side, side);
    view.globalAlpha = 1;
  }
  view.drawImage(buildings, left, top, side, side);
  view.strokeStyle = '#8888';
  view.strokeRect(left, top, side, side);
  // Those beside the map are in the plan too.
  view.save();
  view.beginPath();
  view.rect(left, top, side, side);
  view.clip();
  view.fillStyle = CAR;
  for (const outline of cars?.outlines ?? []) {
    view.beginPath();
    for (const { x, y } of outline.map(([lng, lat]) => pointOf({ lng, lat }, bounds, square))) view.lineTo(x, y);
    view.fill();
  }
  view.restore();
  for (const { color, ...place } of dots) {
    const { x, y } = pointOf(place, bounds, square);
    view.beginPath();
    view.arc(x, y, DOT_RADIUS, 0, 2 * Math.PI);
    Object.assign(view, { fillStyle: color, strokeStyle: '#000a', lineWidth: 1 });
    view.fill();
    view.stroke();
  }
}

/** A canvas from a mask that is 1 inside buildings, with darker edges; transparent outdoors. */
export function buildingsLayer({ size, mask }) {
  const layer = new OffscreenCanvas(size, size);
  const image = new ImageData(size, size);
  const { data } = image;
  for (let i = 0; i < mask.length; i += 1) {
    if (!mask[i]) continue;
    const isEdge = mask[i - 1] === 0 || mask[i + 1] === 0 || mask[i - size] === 0 || mask[i + size] === 0;
    const shade = isEdge ? EDGE : INSIDE;
    data[4 * i] = shade;
    data[4 * i + 1] = shade + 6;
    data[4 * i + 2] = shade + 16;
    data[4 * i + 3] = 255;
  }
  layer.getContext('2d').putImageData(image, 0, 0);
  return layer;
}
