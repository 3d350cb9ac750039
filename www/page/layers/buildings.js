// The layer of buildings: the mask as an image, with darker edges.

const INSIDE = 98;
const EDGE = 74;

/** A canvas of `size` x `size` pixels from a mask that is 1 inside buildings; transparent outdoors. */
export function buildingsLayer({ size, mask }) {
  const layer = new OffscreenCanvas(size, size);
  const image = new ImageData(size, size);
  const edge = (row, column) => [[-1, 0], [1, 0], [0, -1], [0, 1]].some(([dr, dc]) => mask[(row + dr) * size + column + dc] === 0);
  mask.forEach((inside, i) => {
    if (!inside) return;
    const shade = edge(Math.floor(i / size), i % size) ? EDGE : INSIDE;
    image.data.set([shade, shade + 6, shade + 16, 255], 4 * i);
  });
  layer.getContext('2d').putImageData(image, 0, 0);
  return layer;
}
