import type { Port, PortKind } from "../ports.ts";
import { overrideOf } from "./disk.ts";
import type { ChardevResource } from "./resource.ts";

/** Returns the two FIFOs of a pipe, for the guest's input and output. qemu(1) -chardev pipe */
export function pipeEnds(path: string): { readonly read: string; readonly write: string } {
  return { read: `${path}.in`, write: `${path}.out` };
}

/** Lists the resources of a port: its backend, and the log of its data. */
export function listPort(port: Port): readonly ChardevResource[] {
  const { log } = port.chardev;
  return [...listSource(port), ...(log === undefined ? [] : [logFile(port.device, log)])];
}

function logFile(
  device: PortKind,
  { append, file }: { readonly file: string; readonly append?: boolean },
): ChardevResource {
  return {
    kind: "chardev-log",
    device,
    path: file,
    access: "read-write",
    append: append ?? false,
    override: undefined,
  };
}

function listSource({ device, chardev }: Port): readonly ChardevResource[] {
  switch (chardev.type) {
    case "pty":
    case "null":
    case "vc":
    case "stdio":
    case "spicevmc":
    case "spiceport":
    case "qemu-vdagent":
    case "dbus":
    case "tcp":
    case "udp":
      return [];
    case "dev":
    case "pipe": {
      const { path, seclabels } = chardev.source;
      const kind = chardev.type === "dev" ? "chardev-device" : "chardev-pipe";
      return [{ kind, device, path, access: "read-write", override: overrideOf(seclabels) }];
    }
    case "file": {
      const { path, append, seclabels } = chardev.source;
      const override = overrideOf(seclabels);
      return [
        { kind: "chardev-file", device, path, access: "read-write", append: append ?? false, override },
      ];
    }
    case "unix": {
      if (chardev.source?.path === undefined || chardev.source.mode === "connect") return [];
      const { path, seclabels } = chardev.source;
      return [{ kind: "chardev-socket", device, path, override: overrideOf(seclabels) }];
    }
  }
}
