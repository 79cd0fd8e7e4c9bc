import { asSvirtError, SvirtError } from "../errors.ts";
import type { ChainElement, ImageHeader } from "./element.ts";

/** Refuses an image that QEMU could not open as svirt would specify it. Throws "unsupported", "failed". */
export function refuseImage(element: ChainElement, header: ImageHeader): void {
  refuseEncryption(element, header);
  if (header.corrupt === true && !element.readOnly) {
    throw new SvirtError(`${element.path} is marked as corrupt`, {
      kind: "failed",
      remedy: `Repair it with qemu-img check -r all ${element.path}.`,
    });
  }
}

/**
 * Refuses an image with an encryption other than the domain's. The guest would see other data, or write its
 * own unencrypted.
 */
function refuseEncryption({ isEncrypted, path }: ChainElement, { encryption }: ImageHeader): void {
  if (encryption === "aes")
    throw new SvirtError(`${path} is encrypted (aes), which QEMU no longer opens for guests`, {
      kind: "unsupported",
      remedy: "Decrypt it with qemu-img convert.",
    });
  if ((encryption !== undefined) === (isEncrypted === true)) return;
  throw new SvirtError(
    encryption === undefined
      ? `${path} is not encrypted, and a secret is named for it`
      : `${path} is encrypted (${encryption}), and no secret is named for it`,
    {
      kind: "unsupported",
      remedy:
        encryption === undefined
          ? "Leave <encryption> out, or encrypt the image."
          : "Write <encryption format='luks'> with the secret of the passphrase into its <source>, or decrypt it with qemu-img convert.",
    },
  );
}

/**
 * Refuses <dataStore> for an image whose data are not in another file: QEMU would not open it. Throws
 * "unsupported".
 */
export function refuseSurplusData({ format, path }: ChainElement, header: ImageHeader): void {
  if (header.dataFile !== undefined) return;
  const why = format === "raw" ? "it is raw" : "its header names no data file";
  throw new SvirtError(`${path} has no external data file: ${why}`, {
    kind: "unsupported",
    remedy: "Remove <dataStore>.",
  });
}

/** Returns the error of a failed walk, with the part of the chain that was read. */
export function addChain(thrown: unknown, chain: readonly ChainElement[], top: string): SvirtError {
  const error = asSvirtError(thrown);
  // libvirt's message for the disk's own file. Scripts search for it.
  if (chain.length === 0 && error.kind === "not-found") {
    return new SvirtError(`Cannot access storage file '${top}': No such file or directory`, {
      kind: error.kind,
      remedy: error.remedy,
      cause: thrown,
    });
  }
  const seen = chain.map(({ path, format }) => `${path} (${format})`).join(" <- ");
  const message = `Cannot follow the image ${top}: ${error.message}`;
  return new SvirtError(chain.length < 2 ? message : `${message}; its chain is ${seen}`, {
    kind: error.kind,
    remedy: error.remedy,
    cause: thrown,
  });
}
