import { SvirtError } from "../errors.ts";
import type { ImageName } from "./element.ts";
import { isJsonName, parseJsonName } from "./json-name.ts";

/** QEMU's rule for a protocol: a colon before any slash. qemu.git block.c path_has_protocol() */
const PROTOCOL = /^([^/:]*):/;
const LOCAL_PROTOCOLS: ReadonlySet<string> = new Set(["file", "host_device"]);

/**
 * Resolves `name`, written in the header of the image at `container`. A relative name starts from the image's
 * folder, as in QEMU: by its opened path, with symbolic links unresolved. Throws "unsupported" for anything
 * other than a file or block device of this host.
 */
export function resolveImageName(container: string, name: string): ImageName {
  if (isJsonName(name)) return parseJsonName(name);
  const protocol = PROTOCOL.exec(name)?.[1];
  if (protocol === undefined) return { path: joinPath(container, name) };
  if (LOCAL_PROTOCOLS.has(protocol)) return { path: joinPath(container, name.slice(protocol.length + 1)) };
  throw new SvirtError(`Cannot use "${name}": the protocol "${protocol}" is not supported`, {
    kind: "unsupported",
    remedy:
      "Copy the image to a local file, then run qemu-img rebase -u -b FILE -F FORMAT on the image above it.",
  });
}

function joinPath(container: string, name: string): string {
  if (name === "") {
    throw new SvirtError("Cannot use an image name: it is empty", {
      kind: "unsupported",
      remedy: "Write the name of its backing file into the image: qemu-img rebase -u -b FILE -F FORMAT IMAGE",
    });
  }
  return name.startsWith("/") ? name : container.slice(0, container.lastIndexOf("/") + 1) + name;
}
