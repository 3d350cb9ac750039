// The worker that owns the wasm module, so that the page never waits. The protocol is runtime.js's.

import { serve } from './runtime.js';

const receive = serve((answer, transfer) => postMessage(answer, { transfer }));
onmessage = ({ data }) => receive(data);
// The first message: from here on the script takes others.
postMessage({ started: true });
