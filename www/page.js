// The demo: a place with buildings, a transmitter that is dragged, and the map that follows it.

import { createEngine, divergingPaletteNames, palette, paletteNames } from './index.js';

const element = (id) => document.getElementById(id);
const [stage, canvas, readout, notice] = ['stage', 'map', 'readout', 'notice'].map(element);
const view = canvas.getContext('2d');

/** Values shown at the ends of the colour scale, before the power moves them. */
const GAIN_RANGE_DB = { min: -147, max: -55 };
/** The same for differences. */
const DIFFERENCE_RANGE_DB = { min: -20, max: 20 };
/** 3GPP TR 38.901, table 7.3-1. */
const SECTOR = { txg: 8, hbw: 65, vbw: 65, fbr: 30 };
const LAW_MHZ = 5900;
const MODEL = 'models/nano.safetensors';
/** A map that takes longer does not follow a finger; while dragging, the dominant path stands in for it. */
const SMOOTH_MS = 120;
const METHODS = { network: 'RadioDiff nano', 'dominant-path': 'Dominant path' };

let engine;
let scene; // what setScene gave, with the outline of the buildings as a canvas
let map; // of the layer; of the difference, the generated one
let maps = {}; // the maps there are of the transmitter, by method
let pointer; // the last event of a mouse over the map
let difference; // generated minus physical, where there are both
let buildings; // the GeoJSON the scene was made of
let transmitter; // {lng, lat}
let opened = 0; // how often something was opened
let trouble = ''; // why there are no networks
let networkMs = Infinity; // how long the last map of the networks took
let dragging = false;
let told = new Set(); // warnings that need not be said again in this place
let wanted = false;
let drawing = false;

function state(name) {
  document.documentElement.dataset.state = name;
}

const NOTICE_MS = 9000;
const notices = new Map();

/** Shows a notice for a while. One of each topic ('networks', 'scene', 'map') is shown, so that none hides another. */
function say(topic, text, kind = 'warning') {
  clearTimeout(notices.get(topic)?.timer);
  const timer = setTimeout(() => (notices.delete(topic), showNotices()), NOTICE_MS);
  notices.set(topic, { text, kind, timer });
  showNotices();
}

function showNotices() {
  const shown = [...notices.values()];
  notice.replaceChildren(...shown.map(({ text }) => Object.assign(document.createElement('p'), { textContent: text })));
  notice.className = shown.some(({ kind }) => kind === 'error') ? 'error' : 'warning';
  notice.hidden = !shown.length;
}

/** The mask as an image: a shade for buildings, with their edges drawn by the page at the canvas's resolution. */
function buildingsImage({ size, mask }) {
  const layer = new OffscreenCanvas(size, size);
  const image = new ImageData(size, size);
  const edge = (row, column) => [[-1, 0], [1, 0], [0, -1], [0, 1]].some(([dr, dc]) => mask[(row + dr) * size + column + dc] === 0);
  mask.forEach((inside, i) => {
    if (!inside) return;
    const shade = edge(Math.floor(i / size), i % size) ? 74 : 98;
    image.data.set([shade, shade + 6, shade + 16, 255], 4 * i);
  });
  layer.getContext('2d').putImageData(image, 0, 0);
  return layer;
}

const isLoss = () => element('quantity').value === 'loss';
const power = () => Number(element('power').value);
const frequency = () => Number(element('frequency').value);
const sector = () => (element('antenna').value === 'sector' ? { ...SECTOR, azi: Number(element('azimuth').value) } : undefined);
/** What is shown as a difference; while there is none, a map. */
const shown = () => (element('layer').value === 'difference' && difference) || map;
const isDifference = () => element('layer').value === 'difference';
/** What free space adds to path gains at a frequency, dB. */
const freeSpaceDb = (mhz) => -20 * Math.log10(mhz / LAW_MHZ);
/** Power in the antenna's strongest direction, dBm. */
const eirp = ({ powerDbm, antennaGainDbi }) => powerDbm + antennaGainDbi;

function paint() {
  if (!scene) return;
  view.clearRect(0, 0, canvas.width, canvas.height);
  view.imageSmoothingEnabled = false;
  if (map) {
    const layer = new OffscreenCanvas(map.size, map.size);
    const moved = eirp(map.transmitter) + freeSpaceDb(map.transmitter.frequencyMHz);
    const range = { min: GAIN_RANGE_DB.min + moved, max: GAIN_RANGE_DB.max + moved };
    const look = shown() === difference ? DIFFERENCE_RANGE_DB : { palette: element('palette').value, ...range, threshold: Number(element('threshold').value) };
    layer.getContext('2d').putImageData(shown().toImage(look), 0, 0);
    view.drawImage(layer, 0, 0, canvas.width, canvas.height);
  }
  view.drawImage(scene.buildings, 0, 0, canvas.width, canvas.height);
  if (transmitter) {
    const [x, y] = toCanvas(transmitter);
    view.lineWidth = 5;
    view.strokeStyle = '#fff';
    view.fillStyle = '#d6336c';
    if (sector()) {
      const ahead = (sector().azi * Math.PI) / 180;
      view.beginPath();
      view.moveTo(x, y);
      view.lineTo(x + 44 * Math.sin(ahead), y - 44 * Math.cos(ahead));
      view.stroke();
    }
    view.beginPath();
    view.arc(x, y, 14, 0, 2 * Math.PI);
    view.fill();
    view.stroke();
  }
}

function legend() {
  const scale = element('scale').getContext('2d');
  const color = palette(isDifference() ? divergingPaletteNames[0] : element('palette').value);
  const image = new ImageData(256, 1);
  for (let i = 0; i < 256; i++) image.data.set([...color(i / 255), 255], 4 * i);
  scale.putImageData(image, 0, 0);
  const { min, max } = isDifference() ? DIFFERENCE_RANGE_DB : GAIN_RANGE_DB;
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((t) => {
    const value = min + t * (max - min);
    if (isDifference()) return `${value > 0 ? '+' : ''}${value}`;
    const gain = value + freeSpaceDb(frequency());
    return Math.round(isLoss() ? -gain : gain + power() + (sector()?.txg ?? 0));
  });
  ticks[ticks.length - 1] += isLoss() || isDifference() ? ' dB' : ' dBm';
  element('meaning').textContent = isDifference() ? 'Generated minus physical: red where the network is stronger' : '';
  for (const id of ['palette', 'quantity', 'threshold']) element(id).disabled = isDifference();
  element('azimuth-row').hidden = !sector();
  element('azimuth-value').textContent = `${element('azimuth').value}°`;
  element('ticks').replaceChildren(...ticks.map((tick) => Object.assign(document.createElement('span'), { textContent: tick })));
  element('power-value').textContent = `${power()} dBm`;
  element('threshold-value').textContent = `${element('threshold').value} dBm`;
}

function powerRows() {
  const { covered, mean, max, outdoorPixels } = map.stats({ thresholdDbm: Number(element('threshold').value) });
  const area = outdoorPixels * covered * map.metersPerPixel ** 2;
  return [
    ['Covered outdoors', `${(100 * covered).toFixed(1)} %`],
    ['Covered area', `${(area / 10_000).toFixed(2)} ha`],
    ['Mean', worded(map, mean)],
    ['Strongest', worded(map, max)],
  ];
}

function differenceRows() {
  const { mean, rms, min, max } = difference.stats();
  return [
    ['Mean difference', signed(mean)],
    ['Root mean square', `${rms.toFixed(1)} dB`],
    ['Generated weaker by up to', `${Math.max(0, -min).toFixed(1)} dB`],
    ['Generated stronger by up to', `${Math.max(0, max).toFixed(1)} dB`],
  ];
}

const signed = (db) => `${db > 0 ? '+' : ''}${db.toFixed(1)} dB`;

/** A map's value as the page shows it. */
const worded = ({ transmitter }, dbm) => (isLoss() ? `${(eirp(transmitter) - dbm).toFixed(1)} dB` : `${dbm.toFixed(1)} dBm`);

function statistics() {
  if (!map) return;
  const rows = shown() === difference ? differenceRows() : powerRows();
  element('stats').replaceChildren(...rows.flatMap(([term, value]) => [
    Object.assign(document.createElement('dt'), { textContent: term }),
    Object.assign(document.createElement('dd'), { textContent: value }),
  ]));
  const place = map.backend === 'webgpu' ? `WebGPU (${engine.info.adapter})` : "this machine's CPU (WebAssembly SIMD)";
  const why = map.method === 'network' ? engine.info.reason : '';
  element('engine').textContent = `${METHODS[map.method]} on ${place} in ${map.milliseconds.toFixed(0)} ms. ${why}`;
}

/** The methods of the layer, the one that is shown first; while the transmitter is dragged, a map that keeps up with it. */
function methods() {
  const layer = element('layer').value;
  if (layer === 'difference') return ['network', 'dominant-path'];
  return layer === 'physical' || (dragging && networkMs > SMOOTH_MS) ? ['dominant-path'] : ['network'];
}

/** A map of the scene as it stands. */
function ask(method) {
  const transmitters = [{ ...transmitter, powerDbm: power(), frequencyMHz: frequency(), antennaGainDbi: 0, antenna: sector() }];
  return engine.predict({ buildings: scene.text, bounds: scene.asked, transmitters, method });
}

function keep(found) {
  maps = found;
  difference = maps.network && maps['dominant-path'] && maps.network.difference(maps['dominant-path']);
  read();
}

/** Draws the method that the layer does not show, so that the read-out has both. */
async function complete() {
  const missing = Object.keys(METHODS).find((method) => !maps[method]);
  if (!missing || !engine.info.model) return;
  const before = maps;
  try {
    const answer = await ask(missing);
    if (maps === before && !drawing) keep({ ...maps, [missing]: answer });
  } catch {
    // The read-out goes without; what the layer shows tells of trouble.
  }
}

/** Draws as often as the worker can; positions that came in between are skipped. */
async function draw() {
  wanted = true;
  if (drawing) return;
  drawing = true;
  state('drawing');
  let outcome = 'ready';
  while (wanted) {
    wanted = false;
    const asked = scene;
    try {
      const answers = await Promise.all(methods().map(ask));
      // Another place was opened meanwhile, and asks for its own map.
      if (scene !== asked) continue;
      map = answers[0];
      keep(Object.fromEntries(answers.map((answer) => [answer.method, answer])));
      if (map.method === 'network') networkMs = map.milliseconds;
      outcome = 'ready';
      const news = map.warnings.filter((warning) => !told.has(warning));
      if (news.length) say('map', news.join(' '));
      told = new Set([...told, ...map.warnings]);
      if (!wanted && !dragging) transmitter = map.transmitter;
    } catch (error) {
      if (scene !== asked) continue;
      say('map', error.message, 'error');
      outcome = 'error';
      // Back to where there is a map for.
      if (!wanted && map) transmitter = map.transmitter;
    }
    paint();
    legend();
    statistics();
  }
  drawing = false;
  // A preview is not what was asked for: letting go draws that.
  if (!(dragging && map?.method === 'dominant-path' && element('layer').value !== 'physical')) state(outcome);
  if (!dragging && outcome === 'ready') await complete();
}

/** What the maps say of the place under the mouse, a line each. */
function read() {
  readout.hidden = !(pointer && map);
  if (readout.hidden) return;
  const { lng, lat } = fromPointer(pointer);
  readout.textContent = reading(lng, lat);
  const box = stage.getBoundingClientRect();
  readout.style.left = `${Math.min(pointer.clientX - box.left + 14, box.width - readout.offsetWidth)}px`;
  readout.style.top = `${pointer.clientY - box.top + 14}px`;
}

function reading(lng, lat) {
  if (Number.isNaN(map.at(lng, lat))) return 'inside a building';
  const named = { generated: maps.network, physical: maps['dominant-path'] };
  const lines = Object.entries(named).filter(([, drawn]) => drawn).map(([name, drawn]) => `${name} ${worded(drawn, drawn.at(lng, lat))}`);
  if (difference) lines.push(`difference ${signed(difference.at(lng, lat))}`);
  return lines.join('\n');
}

function toCanvas({ lng, lat }) {
  const { west, south, east, north } = scene.bounds;
  return [((lng - west) / (east - west)) * canvas.width, ((north - lat) / (north - south)) * canvas.height];
}

function fromPointer(event) {
  const box = canvas.getBoundingClientRect();
  const { west, south, east, north } = scene.bounds;
  const part = (value, from, length) => Math.min(0.9999, Math.max(0, (value - from) / length));
  return {
    lng: west + part(event.clientX, box.left, box.width) * (east - west),
    lat: north - part(event.clientY, box.top, box.height) * (north - south),
  };
}

/** Shows what is being loaded, unless something else is opened before it is there. `place` is its index in the menu. */
async function open(loading) {
  const turn = (opened += 1);
  const { text, bounds, at, title, credit, place = -1 } = await loading;
  if (turn !== opened) return;
  const info = await engine.setScene({ buildings: text, bounds });
  if (turn !== opened) return;
  buildings = JSON.parse(text);
  scene = { ...info, text, place, asked: bounds, buildings: buildingsImage(info) };
  map = undefined;
  keep({});
  told = new Set(info.warnings);
  const { west, south, east, north } = info.bounds;
  transmitter = at ?? { lng: (west + east) / 2, lat: (south + north) / 2 };
  element('place').textContent = title;
  element('credit').textContent = credit;
  element('places').selectedIndex = place;
  if (info.warnings.length) {
    const more = info.warnings.length - 1;
    say('scene', info.warnings[0] + (more ? ` (and ${more} more)` : ''));
  }
  await draw();
}

async function openFile(file) {
  try {
    await open(file.text().then((text) => ({ text, title: file.name, credit: `from ${file.name}` })));
  } catch (error) {
    say('scene', `${file.name}: ${error.message}`, 'error');
  }
}

async function loadPlace(places, index) {
  const { file, name, city, bounds, transmitter: [lng, lat], attribution } = places[index];
  const text = await (await fetch(`scenes/${file}`)).text();
  return { text, bounds, at: { lng, lat }, title: `${name}, ${city}`, credit: attribution, place: index };
}

function listen(places) {
  element('places').addEventListener('change', (event) => {
    open(loadPlace(places, event.target.selectedIndex)).catch((error) => {
      say('scene', error.message, 'error');
      event.target.selectedIndex = scene?.place ?? -1;
    });
  });
  for (const id of ['layer', 'antenna', 'frequency']) element(id).addEventListener('change', draw);
  for (const id of ['palette', 'quantity', 'threshold']) {
    element(id).addEventListener('input', () => (paint(), legend(), statistics(), read()));
  }
  for (const id of ['power', 'azimuth']) element(id).addEventListener('input', draw);
  canvas.addEventListener('pointerdown', (event) => {
    if (!scene) return;
    canvas.setPointerCapture(event.pointerId);
    dragging = true;
    transmitter = fromPointer(event);
    draw();
  });
  canvas.addEventListener('lostpointercapture', () => {
    dragging = false;
    draw();
  });
  canvas.addEventListener('pointermove', (event) => {
    if (!scene) return;
    if (canvas.hasPointerCapture(event.pointerId)) {
      transmitter = fromPointer(event);
      paint();
      draw();
    }
    pointer = event;
    read();
  });
  canvas.addEventListener('pointerleave', () => ((pointer = undefined), read()));
  canvas.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!step || !scene) return;
    event.preventDefault();
    const { west, south, east, north } = scene.bounds;
    const meters = event.shiftKey ? 10 : 2;
    transmitter = {
      lng: transmitter.lng + (step[0] * meters * (east - west)) / (scene.size * scene.metersPerPixel),
      lat: transmitter.lat + (step[1] * meters * (north - south)) / (scene.size * scene.metersPerPixel),
    };
    draw();
  });
  element('file').addEventListener('change', (event) => event.target.files[0] && openFile(event.target.files[0]));
  const hover = (on) => (event) => (event.preventDefault(), stage.classList.toggle('dropping', on));
  addEventListener('dragover', hover(true));
  addEventListener('dragleave', hover(false));
  addEventListener('drop', (event) => {
    hover(false)(event);
    if (event.dataTransfer.files[0]) openFile(event.dataTransfer.files[0]);
  });
}

const option = (value, textContent) => Object.assign(document.createElement('option'), { value, textContent });

/** An engine with the networks, or without them and with the reason on the page. */
async function startEngine() {
  const backend = new URLSearchParams(location.search).get('backend') ?? 'auto';
  const onProgress = ({ phase, loaded, total }) => {
    const share = total ? ` ${Math.round((100 * loaded) / total)} %` : '';
    element('engine').textContent = phase === 'download' ? `Loading the networks…${share}` : 'Building the networks…';
  };
  try {
    return await createEngine({ model: MODEL, backend, onProgress });
  } catch (error) {
    trouble = `RadioDiff nano is not available: ${error.message}. Maps are drawn by the dominant path.`;
    say('networks', trouble, 'error');
    element('layer').value = 'physical';
    for (const layer of ['generated', 'difference']) element('layer').querySelector(`[value=${layer}]`).disabled = true;
    return createEngine();
  }
}

/** What the page draws with. */
function credits() {
  const { model } = engine.info;
  element('model').textContent = model ? `RadioDiff ${model.name}, ${model.license}.` : trouble;
  element('model').title = model ? `Trained on ${model.trainingData}` : '';
}

try {
  element('palette').replaceChildren(...paletteNames.map((name) => option(name, name)));
  legend();
  engine = await startEngine();
  credits();
  window.radiodiff = {
    createEngine,
    engine,
    get map() { return map; },
    get maps() { return maps; },
    get difference() { return difference; },
    get request() { return { buildings, bounds: scene.bounds, transmitters: map.transmitters, method: map.method }; },
  };
  const places = await (await fetch('scenes/index.json')).json();
  element('places').replaceChildren(...places.map((place, i) => option(i, `${place.name}, ${place.city}`)));
  listen(places);
  await open(loadPlace(places, 0));
} catch (error) {
  state('error');
  say('scene', error.message, 'error');
}
