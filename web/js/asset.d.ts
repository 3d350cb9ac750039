// A file that a bundler hands out as its address: the wasm module for `init`, or weights for `createEngine`.

declare const url: string;
export default url;
