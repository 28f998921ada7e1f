// The browser's own hashes and signatures, where it has them: `crypto.subtle` is missing on plain http:// pages of
// another machine, and Ed25519 in browsers of before 2025.

import type { Crypto } from "./model/chain";

/** Return what this browser can compute; null when it is nothing. */
export async function browserCrypto(): Promise<Crypto | null> {
  const subtle: SubtleCrypto | undefined = globalThis.crypto?.subtle;
  if (!subtle) return null;
  const knows = await hasEd25519(subtle);
  return {
    sha256: async (bytes) => new Uint8Array(await subtle.digest("SHA-256", bytes)),
    ed25519: knows
      ? async (key, signature, bytes) => {
          try {
            const raw = await subtle.importKey("raw", new Uint8Array(key), "Ed25519", false, ["verify"]);
            return await subtle.verify("Ed25519", raw, new Uint8Array(signature), bytes);
          } catch {
            return false; // no key at all: nothing that it could have signed
          }
        }
      : null,
  };
}

/** A key that is one: the base point. Browsers without Ed25519 refuse any. */
const SOME_KEY = Uint8Array.from({ length: 32 }, (_, at) => (at === 0 ? 0x58 : 0x66));

async function hasEd25519(subtle: SubtleCrypto): Promise<boolean> {
  try {
    await subtle.importKey("raw", SOME_KEY, "Ed25519", false, ["verify"]);
    return true;
  } catch {
    return false;
  }
}
