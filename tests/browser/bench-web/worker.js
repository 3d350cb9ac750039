// One program that draws maps, in a worker of its own. Messages in: {program} first, then {condition, noise, team} for each map; out:
// {shapes} or {gray, milliseconds}, or {error}.

/** How each program is opened. Each draws from a condition and a noise, and says how these are shaped where it knows. */
const programs = {
  radiodiff: () => ownNetwork('onCpu'),
  'radiodiff, WebGPU': () => ownNetwork('onGpu'),
  'onnxruntime-web, 1 thread': () => onnxSession('ort.wasm.bundle.min.mjs', 'wasm', 1),
  'onnxruntime-web, 2 threads': () => onnxSession('ort.wasm.bundle.min.mjs', 'wasm', 2),
  'onnxruntime-web, WebGPU': () => onnxSession('ort.webgpu.bundle.min.mjs', 'webgpu', 1),
};

async function ownNetwork(builder) {
  const { default: init, BenchNetwork } = await import('/radiodiff-web-bench.js');
  await init();
  const network = await BenchNetwork[builder](new Uint8Array(await (await fetch('/network.safetensors')).arrayBuffer()));
  const [condition, noise] = [network.conditionShape(), network.noiseShape()].map((shape) => Array.from(shape));
  const { Team } = await import('/team.js');
  const draw = (condition, noise, team) => {
    if (team) network.join(new Team(team));
    return network.draw(condition.values, noise.values);
  };
  return { shapes: { condition, noise }, draw };
}

async function onnxSession(bundle, provider, threads) {
  const ort = await import(`/onnxruntime/${bundle}`);
  ort.env.wasm.wasmPaths = '/onnxruntime/';
  ort.env.wasm.numThreads = threads;
  const session = await ort.InferenceSession.create('/network.onnx', { executionProviders: [provider], graphOptimizationLevel: 'all' });
  const tensor = ({ values, shape }) => new ort.Tensor('float32', values, shape);
  return {
    draw: async (condition, noise) => {
      const { gray } = await session.run({ condition: tensor(condition), noise: tensor(noise) });
      return gray.getData();
    },
  };
}

let opened;

onmessage = async ({ data }) => {
  try {
    if (data.program) {
      opened = await programs[data.program]();
      postMessage({ shapes: opened.shapes });
      return;
    }
    const started = performance.now();
    const gray = await opened.draw(data.condition, data.noise, data.team);
    postMessage({ milliseconds: performance.now() - started, gray: Float32Array.from(gray) });
  } catch (error) {
    postMessage({ error: String(error?.message ?? error) });
  }
};
