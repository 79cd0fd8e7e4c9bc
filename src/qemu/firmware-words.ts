import type { Loader, Nvram } from "../domain/firmware.ts";
import type { Guest } from "./guest.ts";
import { remoteSource } from "./image-source.ts";
import { cannotTranslate } from "./refusal.ts";
import { jsonWords, type Words } from "./words.ts";

/** The nodes that -machine connects the flash to. */
export interface FlashNodes {
  readonly pflash0?: string;
  readonly pflash1?: string;
}

/** -blockdev for the code of UEFI and for its variables. qemuBuildPflashBlockdevCommandLine() of libvirt */
export function formatFlash({ domain }: Guest): Words {
  const { loader, nvram } = domain.os;
  if (loader?.type !== "pflash") return [];
  return [...formatCode(loader), ...(nvram === undefined ? [] : formatVariables(nvram))];
}

/** What -machine is told of them. */
export function flashNodes({ domain }: Guest): FlashNodes {
  const { loader, nvram } = domain.os;
  if (loader?.type !== "pflash") return {};
  const variables = nvram === undefined ? {} : { pflash1: `libvirt-pflash1-${topOf(nvram.format)}` };
  return { pflash0: "libvirt-pflash0-format", ...variables };
}

/** -bios for a ROM, and for flash whether only SMM may write to it. qemuBuildDomainLoaderCommandLine() of libvirt */
export function formatLoader({ domain }: Guest): Words {
  const { loader } = domain.os;
  if (loader?.type === "rom" && loader.path !== undefined) return ["-bios", loader.path];
  if (loader?.type !== "pflash" || loader.secure !== true) return [];
  return ["-global", "driver=cfi.pflash01,property=secure,value=on"];
}

function formatCode({ format = "raw", path, readonly }: Loader): Words {
  const node = "libvirt-pflash0-storage";
  const storage = {
    driver: "file",
    filename: path,
    "node-name": node,
    "auto-read-only": true,
    discard: "unmap",
  };
  return [...jsonWords("-blockdev", storage), ...formatNode("libvirt-pflash0", readonly === true, format)];
}

function formatVariables(nvram: Nvram): Words {
  const node = "libvirt-pflash1-storage";
  const place = { ...variablesPlace(nvram), "node-name": node };
  if (topOf(nvram.format) === "storage") return jsonWords("-blockdev", { ...place, "read-only": false });
  return [
    ...jsonWords("-blockdev", { ...place, "auto-read-only": true, discard: "unmap" }),
    ...formatNode("libvirt-pflash1", false, "qcow2"),
  ];
}

function formatNode(name: string, readOnly: boolean, format: "raw" | "qcow2"): Words {
  return jsonWords("-blockdev", {
    "node-name": `${name}-format`,
    "read-only": readOnly,
    driver: format,
    file: `${name}-storage`,
    ...(format === "qcow2" ? { backing: null } : {}),
  });
}

/** A raw file is one node. */
function topOf(format: Nvram["format"]): "storage" | "format" {
  return format === "qcow2" ? "format" : "storage";
}

function variablesPlace(nvram: Nvram): Readonly<Record<string, unknown>> {
  const path = "/domain/os/nvram/source";
  switch (nvram.type) {
    case "path":
      return { driver: "file", filename: nvram.path };
    case "file":
      return { driver: "file", filename: nvram.source.file };
    case "block":
      return { driver: "host_device", filename: nvram.source.dev };
    case "network": {
      const strange = ["slices", "encryption", "reservations", "dataStore"].find(
        (name) => name in nvram.source,
      );
      if (strange !== undefined) {
        throw cannotTranslate(`${path}/${strange}`, "variables have none", "Leave it out.");
      }
      return remoteSource({ place: { type: "network", source: nvram.source }, path });
    }
  }
}
