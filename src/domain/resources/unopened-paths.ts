import type { Audio } from "../devices/audio.ts";
import type { Graphics } from "../devices/graphics/graphics.ts";
import type { Rng } from "../devices/rng.ts";
import type { Shmem } from "../devices/shmem.ts";
import type { Tpm } from "../devices/tpm/tpm.ts";
import type { Devices } from "../devices.ts";
import type { Domain } from "../domain.ts";
import { type DeviceOf, ELEMENTS, FAMILIES, type Family, listFamily } from "../families.ts";
import {
  backendPaths,
  hostdevPaths,
  interfacePaths,
  leasePaths,
  type Paths,
  pathAt,
  smartcardPaths,
} from "./passthrough-paths.ts";

// Rule: A path that a start does not label is refused.

/** Path of the host in QEMU's arguments that a start does not open yet. */
export interface UnopenedPath {
  readonly path: string;
  /** XPath of the device. */
  readonly place: string;
  /** Part of the device to remove for avoiding the path; empty: none. */
  readonly within: string;
}

/**
 * Unopened paths of a device of each family. "none": a start opens all paths of the family, or it has none.
 */
const UNOPENED: { readonly [F in Family]: ((device: DeviceOf<F>) => Paths) | "none" } = {
  disks: "none",
  controllers: "none",
  leases: leasePaths,
  filesystems: "none",
  interfaces: interfacePaths,
  smartcards: smartcardPaths,
  serials: "none",
  parallels: "none",
  consoles: "none",
  channels: "none",
  inputs: "none",
  tpms: tpmPaths,
  graphics: graphicsPaths,
  sounds: "none",
  audios: audioPaths,
  videos: ({ model }) => pathAt("model/acceleration/@rendernode", model.acceleration?.rendernode),
  hostdevs: hostdevPaths,
  redirdevs: backendPaths,
  redirfilter: "none",
  hubs: "none",
  watchdogs: "none",
  memballoon: "none",
  rngs: rngPaths,
  panics: "none",
  shmems: shmemPaths,
  iommu: "none",
  vsock: "none",
  cryptos: "none",
  pstore: "none",
  memories: "none",
};

/** Lists every such path: each of them prevents a start. */
export function listUnopenedPaths({ devices, launchSecurity }: Domain): readonly UnopenedPath[] {
  return [
    ...(launchSecurity === undefined
      ? []
      : [{ path: "/dev/sev", place: "/domain/launchSecurity", within: "" }]),
    ...FAMILIES.flatMap((family) => located(devices, family)),
  ];
}

/** Folder of POSIX shared memory on Linux. shm_overview(7) */
const SHARED_MEMORY = "/dev/shm";

/** libvirt's folder for servers of shared memories without a named server. */
const SHMEM_SERVERS = "/var/lib/libvirt";

/** Returns the path of a plain device's memory. */
export function shmemFile({ name }: Shmem): string {
  return `${SHARED_MEMORY}/${name}`;
}

/** Returns the path of the socket of a device with a server. */
export function shmemServer({ name, server }: Shmem): string {
  return server?.path ?? `${SHMEM_SERVERS}/shmem-${name}-sock`;
}

function located<F extends Family>(devices: Devices, family: F): readonly UnopenedPath[] {
  const pathsOf = UNOPENED[family] as ((device: DeviceOf<F>) => Paths) | "none";
  if (pathsOf === "none") return [];
  return listFamily(devices, family).flatMap((device, index) => {
    const place = `/domain/devices/${ELEMENTS[family]}[${index + 1}]`;
    return pathsOf(device).map((found) => ({ ...found, place }));
  });
}

function tpmPaths({ backend }: Tpm): Paths {
  return backend.type === "emulator" ? pathAt("backend/source", backend.source?.path) : [];
}

function rngPaths({ backend }: Rng): Paths {
  const isPeer = backend.model !== "egd" || (backend.type === "unix" && backend.source.mode === "connect");
  return isPeer ? [] : pathAt("", backend.source.path);
}

function shmemPaths(shmem: Shmem): Paths {
  return shmem.model.type === "ivshmem-plain" ? [] : pathAt("", shmemServer(shmem));
}

function graphicsPaths(graphics: Graphics): Paths {
  switch (graphics.type) {
    case "vnc":
      return [];
    case "spice":
      return [
        ...graphics.listens.flatMap((listen) =>
          listen.type === "socket" ? pathAt("listen", listen.socket) : [],
        ),
        ...pathAt("gl/@rendernode", graphics.gl?.rendernode),
      ];
    case "sdl":
      return pathAt("@xauth", graphics.xauth);
    case "egl-headless":
    case "dbus":
      return pathAt("gl/@rendernode", graphics.gl?.rendernode);
  }
}

function audioPaths(audio: Audio): Paths {
  switch (audio.type) {
    case "alsa":
    case "oss":
      return [...pathAt("input/@dev", audio.input?.dev), ...pathAt("output/@dev", audio.output?.dev)];
    case "file":
      return pathAt("@path", audio.path);
    case "pipewire":
      return pathAt("@runtimeDir", audio.runtimeDir);
    case "coreaudio":
    case "dbus":
    case "jack":
    case "none":
    case "pulseaudio":
    case "sdl":
    case "spice":
      return [];
  }
}
