// A component that draws a radio map on a canvas. One engine serves all its instances for as long as the page lives; what a component no
// longer wants is aborted.

import React, { useEffect, useRef, useState } from 'react';
import { createEngine } from 'radiodiff-web';

let starting = null;
const engine = () => (starting ??= createEngine().catch((error) => {
  // The next component tries again.
  starting = null;
  throw error;
}));

export function RadioMapView({ buildings, transmitters, palette = 'turbo', min = -120, max = -40, onMap }) {
  const canvas = useRef(null);
  const [problem, setProblem] = useState(null);
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    const draw = async () => {
      const radioMap = await (await engine()).predict({ buildings, transmitters, signal });
      const image = radioMap.toImage({ palette, min, max });
      Object.assign(canvas.current, { width: image.width, height: image.height });
      canvas.current.getContext('2d').putImageData(image, 0, 0);
      setProblem(null);
      onMap?.(radioMap);
    };
    draw().catch((error) => {
      if (!signal.aborted) setProblem(error.message);
    });
    return () => controller.abort();
  }, [buildings, transmitters, palette, min, max, onMap]);
  return (
    <figure>
      <canvas ref={canvas} aria-label="Radio map" />
      {problem && <figcaption role="alert">{problem}</figcaption>}
    </figure>
  );
}
