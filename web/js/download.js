// Weights from a server, chunk by chunk. The file's own header says how long the file is, so that progress is true also where the server
// compresses, and a file that cannot be right is refused before the rest of it arrives.

import { RadioError, messageOf } from './errors.js';
import { headerEnd, looksLikeHtml, readHeader } from './safetensors.js';

/** @import { Progress } from './index.js' */
/** @typedef {{ bytes: Uint8Array<ArrayBuffer>, sha256: string | null }} Downloaded */
/** @typedef {{ signal?: AbortSignal | undefined, onProgress?: Progress | undefined }} Watching */

/**
 * @param {string} url
 * @param {Watching} watching
 * @param {(sha256: string | null) => Promise<Uint8Array<ArrayBuffer> | null>} known asked once the hash is read: the bytes, where they
 * are here already and the rest need not be downloaded
 * @returns {Promise<Downloaded>}
 */
export async function download(url, { signal, onProgress }, known) {
  const source = await ask(url, signal);
  const file = new ArrivingFile(url);
  const chunks = await unpack(source);
  try {
    for (let chunk = await next(chunks, source, file); chunk; chunk = await next(chunks, source, file)) {
      const begun = file.sha256 !== undefined;
      file.take(chunk);
      onProgress?.({ phase: 'download', loaded: file.length, total: file.total });
      const bytes = !begun && file.sha256 !== undefined ? await known(file.sha256) : null;
      if (bytes) {
        onProgress?.({ phase: 'download', loaded: bytes.length, total: bytes.length });
        return { bytes, sha256: file.sha256 ?? null };
      }
    }
    return file.whole();
  } finally {
    // What is not wanted need not arrive.
    chunks.cancel().catch(() => {});
  }
}

/**
 * @param {string} url
 * @param {AbortSignal} [signal]
 */
async function ask(url, signal) {
  /** @type {Response} */
  let response;
  try {
    response = await fetch(url, { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw missing(url, 'network', `${messageOf(error)}; check the address, the connection and, on another origin, that the server sends Access-Control-Allow-Origin`);
  }
  if (response.ok && response.body) return new Source(url, response.body, signal);
  // A body that nobody reads would keep its connection.
  await response.body?.cancel();
  throw missing(url, 'status', `the server answers ${response.status}; check the address`);
}

/** A response's body that tells a broken connection from a damaged file. */
class Source {
  /**
   * @param {string} url
   * @param {ReadableStream<Uint8Array<ArrayBuffer>>} body
   * @param {AbortSignal} [signal]
   */
  constructor(url, body, signal) {
    this.url = url;
    this.reader = body.getReader();
    this.signal = signal;
    /** Why the connection broke. @type {unknown} */
    this.broken = undefined;
  }

  async read() {
    try {
      const { value } = await this.reader.read();
      return value;
    } catch (error) {
      this.broken = error;
      throw error;
    }
  }
}

/**
 * The file's bytes: of a file packed by gzip, what is in it.
 * @param {Source} source
 * @returns {Promise<ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>>}
 */
async function unpack(source) {
  const first = await source.read().catch((error) => {
    source.signal?.throwIfAborted();
    throw missing(source.url, 'interrupted', `the connection broke (${messageOf(error)}); try again`);
  });
  /** @type {ReadableStream<Uint8Array<ArrayBuffer>>} */
  const body = new ReadableStream({
    start: (controller) => (first ? controller.enqueue(first) : controller.close()),
    pull: async (controller) => {
      const chunk = await source.read();
      if (chunk) controller.enqueue(chunk);
      else controller.close();
    },
    cancel: (reason) => source.reader.cancel(reason),
  });
  const packed = first && first[0] === 0x1f && first[1] === 0x8b;
  return (packed ? body.pipeThrough(new DecompressionStream('gzip')) : body).getReader();
}

/**
 * @param {ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>} chunks
 * @param {Source} source
 * @param {ArrivingFile} file
 */
async function next(chunks, source, file) {
  try {
    return (await chunks.read()).value;
  } catch (error) {
    source.signal?.throwIfAborted();
    if (source.broken) throw missing(file.url, 'interrupted', `the connection broke after ${file.progress()} (${messageOf(error)}); try again`);
    throw refused('truncated', `the safetensors file at ${file.url} is packed by gzip and cannot be unpacked after ${file.progress()}: it is cut off or damaged; publish it again`);
  }
}

/** A weights file as it arrives. */
class ArrivingFile {
  /** The hash it claims, null where it claims none; undefined until the header is there. @type {string | null | undefined} */
  sha256;
  /** Bytes of the whole file, once the header is there. @type {number | undefined} */
  total;
  length = 0;
  /** Chunks of the beginning, until the header is there. @type {Uint8Array[]} */
  #beginning = [];
  /** The whole file, filled from its beginning. @type {Uint8Array<ArrayBuffer> | null} */
  #bytes = null;

  /** @param {string} url */
  constructor(url) {
    this.url = url;
  }

  progress() {
    return this.total === undefined ? `${this.length} bytes` : `${this.length} of ${this.total} bytes`;
  }

  /** @param {Uint8Array<ArrayBuffer>} chunk */
  take(chunk) {
    const at = this.length;
    this.length += chunk.length;
    if (this.total !== undefined && this.length > this.total) {
      throw refused('format', `the safetensors file at ${this.url} goes on after the ${this.total} bytes that its header speaks of; publish it again`);
    }
    if (this.#bytes) {
      this.#bytes.set(chunk, at);
      return;
    }
    this.#beginning.push(chunk);
    this.#readBeginning();
  }

  #readBeginning() {
    const beginning = joined(this.#beginning, this.length);
    if (looksLikeHtml(beginning)) {
      throw refused('html', `${this.url} is not a safetensors file but a web page: servers answer unknown addresses with one; check the address`);
    }
    if (this.length < 8) return;
    const end = headerEnd(beginning);
    if (end !== null && this.length < end) {
      this.#beginning = [beginning];
      return;
    }
    const header = end === null ? null : readHeader(beginning.subarray(0, end));
    if (!header) throw refused('format', `${this.url} is not a safetensors file; name the weights that the trainer exports`);
    this.#bytes = this.#room(header.total);
    this.#beginning = [];
    this.sha256 = header.sha256;
    this.total = header.total;
    this.length = 0;
    this.take(beginning);
  }

  /** @param {number} bytes */
  #room(bytes) {
    try {
      return new Uint8Array(bytes);
    } catch {
      throw refused('format', `the safetensors file at ${this.url} says that it has ${bytes} bytes, more than fit into memory; publish it again`);
    }
  }

  /** @returns {Downloaded} */
  whole() {
    if (this.#bytes && this.length === this.total) return { bytes: this.#bytes, sha256: this.sha256 ?? null };
    throw refused('truncated', `the safetensors file at ${this.url} ends after ${this.progress()}; publish it again, or try again where a proxy cut it`);
  }
}

/**
 * @param {Uint8Array[]} parts
 * @param {number} length
 */
function joined(parts, length) {
  if (parts.length === 1) return /** @type {Uint8Array<ArrayBuffer>} */ (parts[0]);
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/**
 * @param {string} url
 * @param {string} reason
 * @param {string} words
 */
const missing = (url, reason, words) => new RadioError({ code: 'weights-missing', reason, message: `the weights at ${url} could not be loaded: ${words}` });

/**
 * @param {string} reason
 * @param {string} words
 */
export const refused = (reason, words) => new RadioError({ code: 'weights', reason, message: `the weights are refused: ${words}` });
