// What the beginning of a weights file tells before the rest is there: its length, and the hash it claims. The runtime checks the whole
// file, hash included (core's weights); here a file that cannot be right is refused before it is downloaded.
//
// A safetensors file is the length of its header (8 bytes, little endian), the header as JSON, and the tensors, whose `data_offsets`
// count from the header's end.

const LENGTH_BYTES = 8;
/** The longest header that the format allows. */
const LONGEST_HEADER = 100_000_000;

/**
 * The length of the file's beginning that `readHeader` needs.
 * @param {Uint8Array} bytes at least eight
 * @returns {number | null} null where these are not the first bytes of a safetensors file
 */
export function headerEnd(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  return length > 1n && length <= LONGEST_HEADER ? LENGTH_BYTES + Number(length) : null;
}

/**
 * @param {Uint8Array} bytes the file's beginning, as long as `headerEnd` says
 * @returns {{ total: number, sha256: string | null } | null} bytes of the whole file, and the hash its manifest claims; null where this
 * is no header
 */
export function readHeader(bytes) {
  try {
    const { __metadata__: metadata, ...tensors } = JSON.parse(new TextDecoder().decode(bytes.subarray(LENGTH_BYTES)));
    const ends = Object.values(tensors).map(({ data_offsets: [, end] }) => end);
    if (!ends.every((end) => Number.isSafeInteger(end) && end >= 0)) return null;
    return { total: bytes.length + Math.max(0, ...ends), sha256: claimedHash(metadata?.radiodiff) };
  } catch {
    return null;
  }
}

/** @param {unknown} manifest JSON as text */
function claimedHash(manifest) {
  if (typeof manifest !== 'string') return null;
  const { content_sha256: sha256 } = JSON.parse(manifest);
  return typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256) ? sha256 : null;
}

/**
 * Whether a file begins as a web page does: servers answer unknown addresses with one.
 * @param {Uint8Array} bytes
 */
export const looksLikeHtml = (bytes) => /^(\ufeff|\s)*<(!doctype|html|head|body|!--|\?xml)/i.test(new TextDecoder().decode(bytes.subarray(0, 256)));
