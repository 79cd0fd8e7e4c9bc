import type { Domain } from "../domain/domain.ts";
import { formatAudio } from "./audio-words.ts";
import { decideBootIndexes } from "./boot-index.ts";
import { formatChardevs } from "./chardev-words.ts";
import { formatClock } from "./clock-words.ts";
import { formatControllers, formatPciHole } from "./controller-words.ts";
import { formatCpu } from "./cpu-words.ts";
import { formatCryptos } from "./crypto-words.ts";
import { DEFAULT_EMULATOR } from "./default-devices.ts";
import type { FoundChains } from "./disk-chain.ts";
import { formatDisks } from "./disk-words.ts";
import { formatGraphics } from "./display-words.ts";
import { refuseFeatures } from "./feature-rules.ts";
import { formatCoreInfo, formatTeardown } from "./feature-words.ts";
import { formatFilesystems } from "./filesystem-words.ts";
import { formatFlash, formatLoader } from "./firmware-words.ts";
import type { Guest } from "./guest.ts";
import { formatHostdevs } from "./hostdev-words.ts";
import { formatHubs } from "./hub-words.ts";
import { formatInputs } from "./input-words.ts";
import { formatIommu } from "./iommu-words.ts";
import { formatIothreads } from "./iothread-words.ts";
import type { Launch } from "./launch.ts";
import { formatLaunchSecurity } from "./launch-security-words.ts";
import { formatActions } from "./lifecycle-words.ts";
import {
  formatBoot,
  formatMachine,
  formatMemory,
  formatName,
  formatPower,
  formatSmp,
  formatTseg,
} from "./machine-words.ts";
import { formatBalloon } from "./memballoon-words.ts";
import { formatMemoryDevices } from "./memory-device-words.ts";
import { formatInterfaces } from "./network-words.ts";
import { formatNuma } from "./numa-words.ts";
import { formatPanics } from "./panic-words.ts";
import { refusePorts } from "./port-rules.ts";
import { formatPstore } from "./pstore-words.ts";
import { cannotTranslate } from "./refusal.ts";
import { formatManagedHelper } from "./reservation-words.ts";
import { formatRngs } from "./rng-words.ts";
import { formatShmems } from "./shmem-words.ts";
import { formatReaders, formatSmartcards } from "./smartcard-words.ts";
import { formatFwcfg, formatGenid, formatSmbios } from "./smbios-words.ts";
import { formatSounds } from "./sound-words.ts";
import {
  formatAccelerator,
  formatAcpiTables,
  formatHandover,
  formatKernel,
  formatMonitor,
} from "./start-words.ts";
import { formatThrottleGroups } from "./throttle-words.ts";
import { formatTpms } from "./tpm-words.ts";
import { formatRedirdevs } from "./usb-device-words.ts";
import { formatVideos } from "./video-words.ts";
import { formatVsock } from "./vsock-words.ts";
import { formatWatchdogs } from "./watchdog-words.ts";
import type { Words } from "./words.ts";

/** What a command line depends on besides the domain. */
export interface ArgvFacts {
  /** The images of each disk as found on the host; without them, as far as the XML says. */
  readonly chains?: FoundChains;
  /** Given for a real start; without it the words are the reference's own. */
  readonly launch?: Launch;
}

/** QEMU's sandbox, all of it. qemu(1) -sandbox */
const SANDBOX = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny";

/** The variables that a domain gives its QEMU, `NAME=value`. qemuBuildCommandLineEnv… of libvirt */
export function formatVariables({ clock, qemuCommandline }: Domain): readonly string[] {
  const zone = clock?.offset === "timezone" ? [`TZ=${clock.timezone}`] : [];
  return [...zone, ...(qemuCommandline?.variables ?? []).map(({ name, value = "" }) => `${name}=${value}`)];
}

/**
 * QEMU's command line for a guest, its program first, in the reference's order, with its ids, node names and addresses.
 * Throws "unsupported", with the element's path, for what cannot be told QEMU exactly.
 */
export function formatGuestArgv(guest: Guest, { chains, launch }: ArgvFacts = {}): readonly string[] {
  refuseFeatures(guest);
  refusePorts(guest);
  return [
    guest.devices.emulator ?? DEFAULT_EMULATOR,
    ...formatName(guest),
    "-S",
    ...formatHandover(guest, launch),
    ...formatManagedHelper(guest),
    ...formatFlash(guest, launch),
    ...formatBoard(guest, launch),
    ...formatMonitor(launch),
    ...formatClock(guest, launch),
    ...(launch === undefined ? ["-no-shutdown"] : formatActions(guest.domain)),
    ...formatPower(guest),
    ...formatBoot(guest),
    ...formatKernel(guest, launch),
    ...formatAcpiTables(guest, launch),
    ...formatPciHole(guest),
    ...formatDevices(guest, { chains, launch }),
    ...formatRawWords(guest, launch),
    "-sandbox",
    SANDBOX,
    ...formatPanics(guest),
    ...formatShmems(guest, launch),
    ...formatVsock(guest, launch),
    ...formatCryptos(guest),
    ...formatPstore(guest, launch),
    ...formatTeardown(guest),
    "-msg",
    "timestamp=on",
  ];
}

/** Words that the XML gives as they are: a real start has none, since nobody knows what they open. */
function formatRawWords({ domain }: Guest, launch: Launch | undefined): Words {
  const words = domain.qemuCommandline?.words ?? [];
  if (words.length === 0 || launch === undefined) return words.map(({ value }) => value);
  const why = "nobody knows what its words open";
  throw cannotTranslate("/domain/qemu:commandline", why, "Leave it out.");
}

function formatBoard(guest: Guest, launch: Launch | undefined): Words {
  return [
    ...formatMachine(guest),
    ...formatAccelerator(guest, launch),
    ...formatTseg(guest),
    ...formatCpu(guest),
    ...formatLoader(guest, launch),
    ...formatMemory(guest, launch),
    ...formatSmp(guest),
    ...formatIothreads(guest),
    ...formatThrottleGroups(guest),
    ...formatNuma(guest, launch),
    "-uuid",
    guest.domain.uuid,
    ...formatSmbios(guest),
    ...formatFwcfg(guest, launch),
    ...formatGenid(guest),
    ...(guest.devices.graphics.length === 0 ? ["-display", "none"] : []),
    "-no-user-config",
    "-nodefaults",
  ];
}

interface DeviceFacts {
  readonly chains: FoundChains | undefined;
  readonly launch: Launch | undefined;
}

function formatDevices(guest: Guest, { chains, launch }: DeviceFacts): Words {
  const boot = decideBootIndexes(guest);
  return [
    ...formatIommu(guest),
    ...formatControllers(guest),
    ...formatMemoryDevices(guest, launch),
    ...formatHubs(guest),
    ...formatReaders(guest),
    ...formatDisks(guest, { chains, boot, launch }),
    ...formatFilesystems(guest, launch),
    ...formatInterfaces(guest, boot, launch),
    ...formatSmartcards(guest, launch),
    ...formatChardevs(guest, launch),
    ...formatTpms(guest, launch),
    ...formatInputs(guest, launch),
    ...formatAudio(guest),
    ...formatGraphics(guest, launch),
    ...formatVideos(guest),
    ...formatSounds(guest),
    ...formatWatchdogs(guest),
    ...formatRedirdevs(guest, boot, launch),
    ...formatHostdevs(guest, { boot, chains, launch }),
    ...formatBalloon(guest),
    ...formatRngs(guest, launch),
    ...formatCoreInfo(guest),
    ...formatLaunchSecurity(guest),
  ];
}
