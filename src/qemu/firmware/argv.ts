import type { Loader, Nvram } from "../../domain/machine/firmware.ts";
import { type Arguments, jsonArguments } from "../argument/argument.ts";
import { remoteSource } from "../devices/disk/image-source.ts";
import { type Launch, lockingKeys, passedName } from "../launch.ts";
import type { Guest } from "../model/guest.ts";
import { cannotTranslate } from "../refusal.ts";

/** Block nodes of the flash, for -machine. */
export interface FlashNodes {
  readonly pflash0?: string;
  readonly pflash1?: string;
}

/**
 * Formats -blockdev for the code of UEFI and for its variables. qemuBuildPflashBlockdevCommandLine() of
 * libvirt
 */
export function formatFlash({ domain }: Guest, launch: Launch | undefined): Arguments {
  const { loader, nvram } = domain.os;
  if (loader?.type !== "pflash") return [];
  return [...formatCode(loader, launch), ...(nvram === undefined ? [] : formatVariables(nvram, launch))];
}

/** Returns the block nodes of the flash for -machine. */
export function flashNodes({ domain }: Guest): FlashNodes {
  const { loader, nvram } = domain.os;
  if (loader?.type !== "pflash") return {};
  const variables = nvram === undefined ? {} : { pflash1: `libvirt-pflash1-${topOf(nvram.format)}` };
  return { pflash0: "libvirt-pflash0-format", ...variables };
}

/**
 * Formats -bios for a ROM, and for flash that only SMM may write. qemuBuildDomainLoaderCommandLine() of
 * libvirt
 */
export function formatLoader({ domain }: Guest, launch: Launch | undefined): Arguments {
  const { loader } = domain.os;
  if (loader?.type === "rom" && loader.path !== undefined) {
    return ["-bios", passedName(launch, { path: loader.path, purpose: "rom", access: "read-only" })];
  }
  if (loader?.type !== "pflash" || loader.secure !== true) return [];
  return ["-global", "driver=cfi.pflash01,property=secure,value=on"];
}

function formatCode(
  { format = "raw", path = "", readonly = false }: Loader,
  launch: Launch | undefined,
): Arguments {
  const storage = {
    driver: "file",
    filename: flashName(launch, path, readonly),
    ...lockingKeys(launch),
    "node-name": "libvirt-pflash0-storage",
    ...reopening(launch, readonly),
    discard: "unmap",
  };
  return [...jsonArguments("-blockdev", storage), ...formatNode("libvirt-pflash0", readonly, format)];
}

/** QEMU cannot reopen a descriptor with another access mode, so the final mode is set. */
function reopening(launch: Launch | undefined, readOnly: boolean): Readonly<Record<string, boolean>> {
  return launch === undefined ? { "auto-read-only": true } : { "read-only": readOnly };
}

function flashName(launch: Launch | undefined, path: string, readOnly: boolean): string {
  return passedName(launch, { path, purpose: "flash", access: readOnly ? "read-only" : "read-write" });
}

function formatVariables(nvram: Nvram, launch: Launch | undefined): Arguments {
  const node = "libvirt-pflash1-storage";
  const place = { ...variablesPlace(nvram, launch), "node-name": node };
  if (topOf(nvram.format) === "storage") return jsonArguments("-blockdev", { ...place, "read-only": false });
  return [
    ...jsonArguments("-blockdev", { ...place, ...reopening(launch, false), discard: "unmap" }),
    ...formatNode("libvirt-pflash1", false, "qcow2"),
  ];
}

function formatNode(name: string, readOnly: boolean, format: "raw" | "qcow2"): Arguments {
  return jsonArguments("-blockdev", {
    "node-name": `${name}-format`,
    "read-only": readOnly,
    driver: format,
    file: `${name}-storage`,
    ...(format === "qcow2" ? { backing: null } : {}),
  });
}

/** A raw file is a single block node. */
function topOf(format: Nvram["format"]): "storage" | "format" {
  return format === "qcow2" ? "format" : "storage";
}

function variablesPlace(nvram: Nvram, launch: Launch | undefined): Readonly<Record<string, unknown>> {
  const path = "/domain/os/nvram/source";
  switch (nvram.type) {
    case "path":
      return { driver: "file", filename: flashName(launch, nvram.path ?? "", false), ...lockingKeys(launch) };
    case "file":
      return {
        driver: "file",
        filename: flashName(launch, nvram.source.file, false),
        ...lockingKeys(launch),
      };
    case "block":
      return {
        driver: "host_device",
        filename: flashName(launch, nvram.source.dev, false),
        ...lockingKeys(launch),
      };
    case "network": {
      const strange = ["slices", "encryption", "reservations", "dataStore"].find(
        (name) => name in nvram.source,
      );
      if (strange !== undefined) {
        throw cannotTranslate(
          `${path}/${strange}`,
          "UEFI variables do not have this element",
          "Leave it out.",
        );
      }
      return remoteSource({ place: { type: "network", source: nvram.source }, path });
    }
  }
}
