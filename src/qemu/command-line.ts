import type { Domain } from "../domain/domain.ts";
import type { Arguments } from "./argument/argument.ts";
import { decideBootIndexes } from "./argument/boot-index.ts";
import { DEFAULT_EMULATOR } from "./default-devices.ts";
import { formatDevices } from "./device-arguments.ts";
import { refusePorts } from "./devices/chardev/rules.ts";
import { formatPciHole } from "./devices/controller/argv.ts";
import type { FoundChains } from "./devices/disk/chain.ts";
import { formatManagedHelper } from "./devices/disk/reservations.ts";
import type { SecretPassing } from "./devices/disk/secrets.ts";
import { formatThrottleGroups } from "./devices/disk/throttle.ts";
import { refuseEach } from "./every-refusal.ts";
import { formatFlash, formatLoader } from "./firmware/argv.ts";
import type { Launch } from "./launch.ts";
import { formatClock } from "./machine/clock.ts";
import { formatCpu } from "./machine/cpu.ts";
import { refuseFeatures } from "./machine/feature-rules.ts";
import { formatTeardown } from "./machine/features.ts";
import { formatIothreads } from "./machine/iothreads.ts";
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
import {
  formatAccelerator,
  formatAcpiTables,
  formatHandover,
  formatKernel,
  formatMonitor,
} from "./start-arguments.ts";

/** Facts for a command line in addition to the domain. */
export interface ArgvFacts {
  /** The image chain of each disk as inspected on the host; without it, the chain in the XML. */
  readonly chains?: FoundChains;
  /** Set for a real start; without it the arguments are libvirt's. */
  readonly launch?: Launch;
  /**
   * Encrypts the value of a secret, for libvirt's arguments; without it, a guest that needs a secret has
   * none.
   */
  readonly sealed?: SecretPassing["sealed"];
}

/** Environment variables of a domain's QEMU, `NAME=value`. qemuBuildCommandLineEnv… of libvirt */
export function formatVariables({ clock, qemuCommandline }: Domain): readonly string[] {
  const zone = clock?.offset === "timezone" ? [`TZ=${clock.timezone}`] : [];
  return [...zone, ...(qemuCommandline?.variables ?? []).map(({ name, value = "" }) => `${name}=${value}`)];
}

/**
 * Returns QEMU's command line for a guest, the program first. Order, ids, node names and addresses are
 * libvirt's. Throws "unsupported" with everything that has no exact translation, each with its path.
 */
export function formatGuestArgv(guest: Guest, facts: ArgvFacts = {}): readonly string[] {
  try {
    return formatAll(guest, facts);
  } catch (thrown) {
    refuseEach(guest.devices, thrown, (devices) => formatAll({ ...guest, devices }, facts));
    throw thrown;
  }
}

function formatAll(guest: Guest, { chains, launch, sealed }: ArgvFacts): readonly string[] {
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
    ...formatDevices(guest, { boot: decideBootIndexes(guest), chains, launch, sealed }),
    ...formatTeardown(guest),
    "-msg",
    "timestamp=on",
  ];
}

function formatBoard(guest: Guest, launch: Launch | undefined): Arguments {
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
