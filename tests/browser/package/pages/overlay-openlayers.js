import Map from 'ol/Map.js';
import View from 'ol/View.js';
import ImageLayer from 'ol/layer/Image.js';
import { fromLonLat } from 'ol/proj.js';
import ImageCanvasSource from 'ol/source/ImageCanvas.js';
import { addRadioMap } from 'radiodiff-web/openlayers';
import { start } from './overlay.js';

start(async (container, { lng, lat }, zoom) => {
  const map = new Map({ target: container, controls: [], view: new View({ center: fromLonLat([lng, lat]), zoom }) });
  map.renderSync();
  return {
    add: (radioMap, options) => addRadioMap({ ImageLayer, ImageCanvasSource }, map, radioMap, options),
    drawn: () => new Promise((resolve) => {
      map.once('rendercomplete', resolve);
      map.render();
    }),
    project: (lng, lat) => map.getPixelFromCoordinate(fromLonLat([lng, lat])),
  };
});
