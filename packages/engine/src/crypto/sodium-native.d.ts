declare module 'sodium-native' {
  const sodium: {
    /** Writes the 16 byte Poly1305 tag of `message` under the 32 byte one-time `key` into `tag`. */
    crypto_onetimeauth(tag: Uint8Array, message: Uint8Array, key: Uint8Array): void;
  };
  export default sodium;
}
