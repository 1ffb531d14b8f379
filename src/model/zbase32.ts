const ALPHABET = 'ybndrfg8ejkmcpqxot1uwisza345h769';

/** z-base-32, five bits a character, the highest first. https://philzimmermann.com/docs/human-oriented-base-32-encoding.txt */
export function zbase32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET.charAt((held >> bits) & 31);
    }
    held &= 31;
  }
  return bits === 0 ? text : text + ALPHABET.charAt((held << (5 - bits)) & 31);
}
