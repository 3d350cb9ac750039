// The package's worker: a script of its own, to be started as a module worker, never imported. An application that starts it itself gives
// `createEngine` the function that does: `{ worker: () => new Worker(url, { type: 'module' }) }`.

export {};
