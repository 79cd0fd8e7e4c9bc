import { type ByFamily, entriesIn, type Family, orderOf } from "../domain/families.ts";
import type { Arguments } from "./argument/argument.ts";
import type { BootIndexes } from "./argument/boot-index.ts";
import { formatAudio } from "./devices/audio.ts";
import { formatChardevs } from "./devices/chardev/argv.ts";
import { formatControllers } from "./devices/controller/argv.ts";
import { formatCryptos } from "./devices/crypto.ts";
import { formatDisks } from "./devices/disk/argv.ts";
import type { FoundChains } from "./devices/disk/chain.ts";
import type { SecretPassing } from "./devices/disk/secrets.ts";
import { formatFilesystems } from "./devices/filesystem.ts";
import { formatGraphics } from "./devices/graphics/argv.ts";
import { formatHostdevs } from "./devices/hostdev/argv.ts";
import { formatHubs } from "./devices/hub.ts";
import { formatInputs } from "./devices/input.ts";
import { formatIommu } from "./devices/iommu.ts";
import { formatBalloon } from "./devices/memballoon.ts";
import { formatMemoryDevices } from "./devices/memory.ts";
import { formatInterfaces } from "./devices/network/argv.ts";
import { formatPanics } from "./devices/panic.ts";
import { formatPstore } from "./devices/pstore.ts";
import { formatRedirdevs } from "./devices/redirdev.ts";
import { formatRngs } from "./devices/rng.ts";
import { formatShmems } from "./devices/shmem.ts";
import { formatReaders, formatSmartcards } from "./devices/smartcard.ts";
import { formatSounds } from "./devices/sound.ts";
import { formatTpms } from "./devices/tpm.ts";
import { formatVideos } from "./devices/video/argv.ts";
import { formatVsock } from "./devices/vsock.ts";
import { formatWatchdogs } from "./devices/watchdog.ts";
import type { Launch } from "./launch.ts";
import { formatCoreInfo } from "./machine/features.ts";
import { formatLaunchSecurity } from "./machine/launch-security.ts";
import type { Guest } from "./model/guest.ts";
import { cannotTranslate } from "./refusal.ts";

interface DeviceFacts {
  readonly boot: BootIndexes;
  readonly chains: FoundChains | undefined;
  readonly launch: Launch | undefined;
  readonly sealed: SecretPassing["sealed"];
}

type Format = (guest: Guest, facts: DeviceFacts) => Arguments;

/** Arguments written by libvirt among the devices' arguments. */
type OtherPart = "ccid-readers" | "vmcoreinfo" | "launch-security" | "qemu-commandline" | "sandbox";

/** QEMU's sandbox with all its restrictions. qemu(1) -sandbox */
const SANDBOX = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny";

/** QEMU's arguments for each family of devices. */
const DEVICE_ARGUMENTS: ByFamily<Format> = {
  disks: formatDisks,
  controllers: formatControllers,
  // A lock manager takes the leases; QEMU has no argument for them.
  leases: "none",
  filesystems: (guest, { launch }) => formatFilesystems(guest, launch),
  interfaces: (guest, { boot, launch }) => formatInterfaces(guest, boot, launch),
  smartcards: (guest, { launch }) => formatSmartcards(guest, launch),
  serials: (guest, { launch }) => formatChardevs(guest, launch),
  parallels: "with serials",
  consoles: "with serials",
  channels: "with serials",
  inputs: (guest, { launch }) => formatInputs(guest, launch),
  tpms: (guest, { launch }) => formatTpms(guest, launch),
  graphics: (guest, { launch }) => formatGraphics(guest, launch),
  sounds: formatSounds,
  audios: formatAudio,
  videos: formatVideos,
  hostdevs: formatHostdevs,
  redirdevs: (guest, { boot, launch }) => formatRedirdevs(guest, boot, launch),
  redirfilter: "with redirdevs",
  hubs: formatHubs,
  watchdogs: formatWatchdogs,
  memballoon: formatBalloon,
  rngs: (guest, { launch }) => formatRngs(guest, launch),
  panics: formatPanics,
  shmems: (guest, { launch }) => formatShmems(guest, launch),
  iommu: formatIommu,
  vsock: (guest, { launch }) => formatVsock(guest, launch),
  cryptos: formatCryptos,
  pstore: (guest, { launch }) => formatPstore(guest, launch),
  memories: (guest, { launch }) => formatMemoryDevices(guest, launch),
};

const OTHER_ARGUMENTS: Readonly<Record<OtherPart, Format>> = {
  "ccid-readers": formatReaders,
  vmcoreinfo: formatCoreInfo,
  "launch-security": formatLaunchSecurity,
  "qemu-commandline": formatRawWords,
  sandbox: () => ["-sandbox", SANDBOX],
};

/** Order of the arguments, libvirt's. qemuBuildCommandLine() */
const ORDER = orderOf<Family | OtherPart>()([
  "iommu",
  "controllers",
  "memories",
  "hubs",
  "ccid-readers",
  "disks",
  "filesystems",
  "interfaces",
  "smartcards",
  "serials",
  "parallels",
  "consoles",
  "channels",
  "tpms",
  "inputs",
  "audios",
  "graphics",
  "videos",
  "sounds",
  "watchdogs",
  "redirdevs",
  "redirfilter",
  "hostdevs",
  "memballoon",
  "rngs",
  "leases",
  "vmcoreinfo",
  "launch-security",
  "qemu-commandline",
  "sandbox",
  "panics",
  "shmems",
  "vsock",
  "cryptos",
  "pstore",
]);

/** Returns the arguments of all devices, and libvirt's arguments among them. Throws "unsupported". */
export function formatDevices(guest: Guest, facts: DeviceFacts): Arguments {
  const parts = entriesIn({ ...DEVICE_ARGUMENTS, ...OTHER_ARGUMENTS }, ORDER);
  return parts.flatMap((format) => format(guest, facts));
}

/** Arguments given verbatim by the XML. A real start refuses them, since svirt cannot know their files. */
function formatRawWords({ domain }: Guest, { launch }: DeviceFacts): Arguments {
  const words = domain.qemuCommandline?.words ?? [];
  if (words.length === 0 || launch === undefined) return words.map(({ value }) => value);
  const why = "svirt cannot know which files raw QEMU arguments open";
  throw cannotTranslate("/domain/qemu:commandline", why, "Leave it out.");
}
