import { pipeEnds } from "../../domain/resources/chardev.ts";
import type { ChardevResource } from "../../domain/resources/resource.ts";
import { SvirtError } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import type { Host } from "../../host/host.ts";
import { refuseCommonDevice } from "../../label/protected-paths.ts";
import { LABEL_ROLES } from "../../label/roles.ts";
import { factsOfPlanned, inspect, missing, wrongType } from "../inspect-file.ts";
import { placeOfMade } from "../places/writable-places.ts";
import type { ResolvedFile, ResolveOptions } from "../resolved-file.ts";

type Chardev = Exclude<ChardevResource, { readonly kind: "chardev-socket" }>;

/**
 * Inspects the files to which a character device is connected; no other guest uses them. Creates a missing
 * file, as QEMU would. Throws "not-found", "unsupported", "denied".
 */
export function resolveChardev(host: Host, chardev: Chardev, options: ResolveOptions): ResolvedFile[] {
  const { kind, override, path } = chardev;
  const { read, write } = pipeEnds(path);
  const paths = kind === "chardev-pipe" ? [read, write] : [path];
  return paths.map((named) => {
    const facts = inspectChardev(host, { ...chardev, path: named }, options);
    return { named, facts, role: LABEL_ROLES[kind]["read-write"].role, override };
  });
}

function inspectChardev(host: Host, { kind, path }: Chardev, options: ResolveOptions): FileFacts {
  switch (kind) {
    case "chardev-file":
    case "chardev-log":
      return inspectFile(host, path, options);
    case "chardev-device":
      return inspectDevice(host, path);
    case "chardev-pipe":
      return inspectPipe(host, path);
  }
}

function inspectFile(host: Host, path: string, options: ResolveOptions): FileFacts {
  if (options.makeMissing && inspect(host, path) === undefined) host.makeFile(placeOfMade(host, path), 0o600);
  const facts = inspect(host, path) ?? factsOfPlanned(path);
  if (facts.type !== "file") throw wrongType(path, facts.type);
  return facts;
}

function inspectDevice(host: Host, path: string): FileFacts {
  const facts = inspect(host, path);
  if (facts === undefined) throw missing(path);
  refuseCommonDevice(path, facts.id.node);
  if (facts.type === "character") return facts;
  throw new SvirtError(`Cannot connect the guest to ${path}: it is a ${facts.type}, not a character device`, {
    kind: "unsupported",
    remedy: "Name a device such as /dev/ttyS0, or write another type for the <serial>.",
  });
}

/** Inspects a FIFO of a pipe. With a single FIFO for both directions QEMU would read its own output. */
function inspectPipe(host: Host, path: string): FileFacts {
  const facts = inspect(host, path);
  if (facts?.type === "fifo") return facts;
  throw new SvirtError(`Cannot connect the guest to ${path}: it is ${facts?.type ?? "missing"}, not a pipe`, {
    kind: facts === undefined ? "not-found" : "unsupported",
    remedy: `Run: mkfifo ${path}`,
  });
}
