import { SvirtError } from "../../errors.ts";
import { parseBase64 } from "../../secret/value.ts";
import type { Instance } from "../../state/instance.ts";

/** Most bytes of the file. cmdSecretSetValue() of virsh */
const MOST_BYTES = 1024;

/** File with the value of a secret. */
export interface ValueFile {
  /** `-` is standard input. */
  readonly file: string;
  /** Whether the bytes of the file are the value, and not Base64. */
  readonly isPlain: boolean;
}

/**
 * Reads a value from the caller's file. Throws "usage", "not-found"; "denied" for a restricted key, which
 * could then read any file of root.
 */
export function readValueFile({ host, isForKey }: Instance, { file, isPlain }: ValueFile): Uint8Array {
  if (isForKey === true && file !== "-")
    throw new SvirtError(`Cannot read ${file}: a restricted key passes a value on standard input only`, {
      kind: "denied",
      remedy: "Write - in place of the file, and pass it on standard input.",
    });
  const bytes = host.readInput(file, MOST_BYTES);
  if (bytes.length > MOST_BYTES)
    throw new SvirtError(
      `Cannot read the value of the secret from ${file}: it has more than ${MOST_BYTES} bytes`,
      {
        kind: "usage",
        from: "SECRET",
        remedy: "Use a shorter value, or a client of libvirt, whose values may have 64 KiB.",
      },
    );
  if (isPlain) return bytes;
  const value = parseBase64(new TextDecoder().decode(bytes));
  bytes.fill(0);
  return value;
}
