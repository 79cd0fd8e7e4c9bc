import { DEFAULT_CIPHER, type LuksCipher } from "../../images/luks/new-luks.ts";
import { notMade } from "./creation-refusal.ts";
import type { Volume } from "./document.ts";

/** Encryption of a new volume. */
export interface NewEncryption {
  /** Name of the secret with the passphrase. */
  readonly secret: { readonly uuid?: string | undefined; readonly usage?: string | undefined };
  readonly cipher: LuksCipher;
}

type Requested = NonNullable<Volume["target"]["encryption"]>;
type RequestedLuks = Extract<Requested, { readonly format: "luks" }>;

const PLACE = "target/encryption";

/**
 * Decides about the encryption requested by a volume's XML; undefined without a request. Throws
 * "unsupported", with the place and in libvirt's words where it has some.
 * storageBackendCreateQemuImgCheckEncryption() of libvirt
 */
export function decideEncryption({ encryption }: Volume["target"]): NewEncryption | undefined {
  if (encryption === undefined) return undefined;
  if (encryption.format !== "luks")
    throw notMade(`${PLACE}/@format`, `unsupported volume encryption format ${encryption.format}`);
  const [secret, second] = encryption.secrets;
  if (second !== undefined) throw notMade(`${PLACE}/secret[2]`, "too many secrets for luks encryption");
  if (secret === undefined) throw notMade(`${PLACE}/secret`, "no secret provided for luks encryption");
  const { usage, uuid } = secret;
  return { secret: { usage, uuid }, cipher: cipherOf(encryption) };
}

function cipherOf({ cipher, ivgen }: RequestedLuks): LuksCipher {
  const isPlain = ivgen === undefined || (ivgen.name === "plain64" && ivgen.hash === undefined);
  if (!isPlain) throw notMade(`${PLACE}/ivgen`, "svirt makes LUKS volumes with plain64 only");
  if (cipher === undefined) return DEFAULT_CIPHER;
  const { hash = DEFAULT_CIPHER.hash, mode = "xts", name, size } = cipher;
  if (name === "aes" && mode === "xts" && (size === "128" || size === "256") && isHash(hash))
    return { bits: size === "128" ? 128 : 256, hash };
  throw notMade(
    `${PLACE}/cipher`,
    `svirt makes LUKS volumes with aes of 128 or 256 bits, xts, and sha256 or sha512, not with ${[name, size, mode, hash].join(" ")}`,
  );
}

function isHash(word: string): word is LuksCipher["hash"] {
  return word === "sha256" || word === "sha512";
}
