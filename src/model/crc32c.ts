/** The polynomial of Castagnoli, its bits reversed: RFC 3720, appendix B.4. Node's own zlib.crc32 is of another one. */
const POLYNOMIAL = 0x82f63b78;
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value & 1) === 0 ? value >>> 1 : (value >>> 1) ^ POLYNOMIAL;
  return value;
});

/** CRC-32C of these pieces, one behind the other, as a number of 32 bits without sign. */
export function crc32c(...pieces: readonly Uint8Array[]): number {
  let sum = 0xffffffff;
  for (const piece of pieces) for (const byte of piece) sum = TABLE[(sum ^ byte) & 0xff]! ^ (sum >>> 8);
  return ~sum >>> 0;
}
