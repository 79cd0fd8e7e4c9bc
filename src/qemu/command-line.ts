import type { Domain } from "../domain/domain.ts";
import type { Words } from "./argument/argument.ts";
import { decideBootIndexes } from "./argument/boot-index.ts";
import { DEFAULT_EMULATOR } from "./default-devices.ts";
import { formatAudio } from "./devices/audio.ts";
import { formatChardevs } from "./devices/chardev/argv.ts";
import { refusePorts } from "./devices/chardev/rules.ts";
import { formatControllers, formatPciHole } from "./devices/controller/argv.ts";
import { formatCryptos } from "./devices/crypto.ts";
import { formatDisks } from "./devices/disk/argv.ts";
import type { FoundChains } from "./devices/disk/chain.ts";
import { formatManagedHelper } from "./devices/disk/reservations.ts";
import { formatThrottleGroups } from "./devices/disk/throttle.ts";
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
import { refuseEach } from "./every-refusal.ts";
import { formatFlash, formatLoader } from "./firmware/argv.ts";
import type { Launch } from "./launch.ts";
import { formatClock } from "./machine/clock.ts";
import { formatCpu } from "./machine/cpu.ts";
import { refuseFeatures } from "./machine/feature-rules.ts";
import { formatCoreInfo, formatTeardown } from "./machine/features.ts";
import { formatIothreads } from "./machine/iothreads.ts";
import { formatLaunchSecurity } from "./machine/launch-security.ts";
import { formatActions } from "./machine/lifecycle.ts";
import { formatNuma } from "./machine/numa.ts";
import { formatFwcfg, formatGenid, formatSmbios } from "./machine/smbios.ts";
import {
  formatBoot,
  formatMachine,
  formatMemory,
  formatName,
  formatPower,
  formatSmp,
  formatTseg,
} from "./machine-arguments.ts";
import type { Guest } from "./model/guest.ts";
import { cannotTranslate } from "./refusal.ts";
import {
  formatAccelerator,
  formatAcpiTables,
  formatHandover,
  formatKernel,
  formatMonitor,
} from "./start-arguments.ts";

/** Facts besides the domain on which a command line depends. */
export interface ArgvFacts {
  /** The image chain of each disk as inspected on the host; without it, the chain that the XML gives. */
  readonly chains?: FoundChains;
  /** Set for a real start; without it the arguments are libvirt's. */
  readonly launch?: Launch;
}

/** QEMU's sandbox with all its restrictions. qemu(1) -sandbox */
const SANDBOX = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny";

/** Environment variables that a domain sets for its QEMU, `NAME=value`. qemuBuildCommandLineEnv… of libvirt */
export function formatVariables({ clock, qemuCommandline }: Domain): readonly string[] {
  const zone = clock?.offset === "timezone" ? [`TZ=${clock.timezone}`] : [];
  return [...zone, ...(qemuCommandline?.variables ?? []).map(({ name, value = "" }) => `${name}=${value}`)];
}

/**
 * Returns QEMU's command line for a guest, the program first. Order, ids, node names and addresses are libvirt's. Throws
 * "unsupported" with everything that has no exact translation, each with its path.
 */
export function formatGuestArgv(guest: Guest, facts: ArgvFacts = {}): readonly string[] {
  try {
    return formatAll(guest, facts);
  } catch (thrown) {
    refuseEach(guest.devices, thrown, (devices) => formatAll({ ...guest, devices }, facts));
    throw thrown;
  }
}

function formatAll(guest: Guest, { chains, launch }: ArgvFacts): readonly string[] {
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

/** Arguments that the XML gives verbatim. A real start refuses them, since svirt cannot know which files they open. */
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
