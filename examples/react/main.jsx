import React, { StrictMode, useCallback, useMemo, useState } from 'react';
import { createRoot } from 'react-dom/client';
import buildings from '../buildings.json';
import { RadioMapView } from './RadioMapView.jsx';

function App() {
  const [powerDbm, setPower] = useState(23);
  const [covered, setCovered] = useState(null);
  const transmitters = useMemo(() => [{ lng: 24.9384, lat: 60.1699, powerDbm }], [powerDbm]);
  const tell = useCallback((radioMap) => setCovered(radioMap.stats({ thresholdDbm: -80 }).share), []);
  return (
    <main>
      <label>Power, dBm <input type="range" min="0" max="40" value={powerDbm} onChange={(event) => setPower(Number(event.target.value))} /></label>
      <RadioMapView buildings={buildings} transmitters={transmitters} onMap={tell} />
      <output id="level">{covered !== null && `${(100 * covered).toFixed(1)} % of the streets have -80 dBm and more.`}</output>
    </main>
  );
}

// Strict mode mounts every component twice while one develops: it has to bear that.
createRoot(document.querySelector('#root')).render(<StrictMode><App /></StrictMode>);
