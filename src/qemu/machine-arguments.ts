import type { Domain } from "../domain/domain.ts";
import { type Arguments, escapeCommas, keyValues, onOffWord } from "./argument/argument.ts";
import { memoryDeviceKeys } from "./devices/memory.ts";
import { speakerAudio } from "./devices/sound.ts";
import { flashNodes } from "./firmware/argv.ts";
import type { Launch } from "./launch.ts";
import { timerOf } from "./machine/clock.ts";
import { formatBackend } from "./machine/memory-backend.ts";
import { initialKiB, inWholeMiB } from "./machine/memory-size.ts";
import { hasHmat } from "./machine/numa.ts";
import { controllersOf, type Guest } from "./model/guest.ts";
import { cannotTranslate } from "./refusal.ts";

/**
 * Formats -machine, with the firmware's flash and the board's features. qemuBuildMachineCommandLine() of
 * libvirt
 */
export function formatMachine(guest: Guest): Arguments {
  const { domain, machine, devices } = guest;
  const flash = flashNodes(guest);
  const numa = domain.cpu?.numa;
  const pairs = keyValues([
    ["usb", "off"],
    ...featureKeys(guest),
    ["dump-guest-core", onOffWord(domain.memory.dumpCore ?? false)],
    ["mem-merge", domain.memoryBacking?.nosharepages === true ? "off" : undefined],
    ...memoryDeviceKeys(devices),
    ["memory-backend", (numa?.cells ?? []).length === 0 ? "pc.ram" : undefined],
    ["confidential-guest-support", domain.launchSecurity && "lsec0"],
    ["pflash0", flash.pflash0],
    ["pflash1", flash.pflash1],
    ["hmat", numa !== undefined && hasHmat(numa) ? "on" : undefined],
    ["graphics", firmwareOnSerial(guest) ? "off" : undefined],
    ["hpet", switchWord(timerOf(domain, "hpet")?.present)],
    ["pcspk-audiodev", speakerAudio(guest)],
    ["acpi", onOffWord(domain.features?.acpi ?? false)],
  ]);
  return ["-machine", `${machine.word},${pairs}`];
}

/** Reports whether the firmware uses a serial port as its console. qemuValidateDomainDefBoot() of libvirt */
function firmwareOnSerial({ domain, devices }: Guest): boolean {
  if (domain.os.bios?.useserial !== true) return false;
  if (devices.serials.length > 0) return true;
  throw cannotTranslate("/domain/os/bios/@useserial", "the guest has no serial port", "Add a <serial>.");
}

const IRQCHIPS = { kvm: "on", qemu: "split" } as const;

/** qemuAppendDomainFeaturesMachineParam() of libvirt */
function featureKeys({ domain: { features } }: Guest): readonly (readonly [string, string | undefined])[] {
  const driver = features?.ioapic?.driver;
  return [
    ["vmport", switchWord(features?.vmport?.state)],
    ["smm", switchWord(features?.smm?.state)],
    ["kernel_irqchip", driver && IRQCHIPS[driver]],
    ["i8042", switchWord(features?.ps2?.state)],
  ];
}

function switchWord(state: boolean | undefined): "on" | "off" | undefined {
  return state === undefined ? undefined : onOffWord(state);
}

/**
 * Formats -global for the memory reserved to system management mode. qemuBuildTSEGCommandLine() of libvirt
 */
export function formatTseg({ domain, machine }: Guest): Arguments {
  const tseg = domain.features?.smm?.tseg;
  if (tseg === undefined) return [];
  if (machine.chipset === "q35") return ["-global", `mch.extended-tseg-mbytes=${tseg.mib}`];
  throw cannotTranslate(
    "/domain/features/smm/tseg",
    "only a q35 machine has this feature",
    "Write machine='q35'.",
  );
}

/**
 * Formats -m in whole MiB, as QEMU requires, and its backend unless NUMA cells have the memory.
 * qemuBuildMemCommandLine() of libvirt
 */
export function formatMemory({ domain }: Guest, launch: Launch | undefined): Arguments {
  const sizeKiB = initialKiB(domain);
  const { maxMemory, memoryBacking } = domain;
  const pairs = keyValues([
    ["size", `${sizeKiB}k`],
    ["slots", maxMemory?.slots],
    ["maxmem", maxMemory && `${inWholeMiB(maxMemory.kiB)}k`],
  ]);
  const piece = { id: "pc.ram", file: "pc.ram", kind: "system", place: "/domain/memory", sizeKiB } as const;
  const hasCells = (domain.cpu?.numa?.cells ?? []).length > 0;
  return [
    "-m",
    pairs,
    ...(hasCells ? [] : formatBackend(domain, piece, { launch }).words),
    "-overcommit",
    `mem-lock=${onOffWord(memoryBacking?.locked ?? false)}`,
  ];
}

/** Formats -smp: the sockets of the XML, or a socket for each CPU. */
export function formatSmp({ domain }: Guest): Arguments {
  const count = domain.vcpu?.count ?? 1;
  const started = countStarted(domain, count);
  const topology = domain.cpu?.topology;
  const { sockets = count, dies = 1, clusters = 1, cores = 1, threads = 1 } = topology ?? {};
  if (clusters !== 1) {
    const path = "/domain/cpu/topology/@clusters";
    throw cannotTranslate(path, "the processors of a PC have no clusters", "Leave it out.");
  }
  if (sockets * dies * cores * threads !== count) {
    const why = `${sockets} x ${dies} x ${cores} x ${threads} differ from the ${count} virtual CPUs of <vcpu>`;
    throw cannotTranslate(
      "/domain/cpu/topology",
      why,
      "Write a topology whose product is the number in <vcpu>.",
    );
  }
  const pairs = keyValues([
    ["maxcpus", started === count ? undefined : count],
    ["sockets", sockets],
    ["dies", topology && dies],
    ["clusters", topology && clusters],
    ["cores", cores],
    ["threads", threads],
  ]);
  return ["-smp", `${started},${pairs}`];
}

/** vCPUs that can be unplugged are plugged in after the start. qemuBuildSmpCommandLine() of libvirt */
function countStarted({ vcpu, vcpus }: Domain, count: number): number {
  const listed = vcpus?.list ?? [];
  if (listed.length === 0) return vcpu?.current ?? count;
  return listed.filter(({ enabled, hotpluggable }) => enabled && hotpluggable !== true).length;
}

/** Formats -global for sleep states and for hot-plug on the root bus. */
export function formatPower(guest: Guest): Arguments {
  const { machine, domain } = guest;
  const root = controllersOf(guest.devices, "pci").find(({ index }) => index === 0);
  const hotplug = machine.chipset === "i440fx" ? root?.target?.hotplug : undefined;
  const settings = [
    ["disable_s3", disabled(domain.pm?.suspendToMem?.enabled)],
    ["disable_s4", disabled(domain.pm?.suspendToDisk?.enabled)],
    ["acpi-root-pci-hotplug", hotplug === undefined ? undefined : onOffWord(hotplug)],
  ] as const;
  return settings.flatMap(([name, value]) =>
    value === undefined ? [] : ["-global", `${machine.powerDevice}.${name}=${value}`],
  );
}

/** Formats -boot: the firmware tries only the listed devices. */
export function formatBoot({ domain }: Guest): Arguments {
  const menu = domain.os.bootmenu;
  const pairs = keyValues([
    ["menu", menu === undefined ? undefined : onOffWord(menu.enable)],
    ["reboot-timeout", domain.os.bios?.rebootTimeoutMs],
    ["splash-time", menu?.enable === true ? menu.timeoutMs : undefined],
    ["strict", "on"],
  ]);
  return ["-boot", pairs];
}

/** Formats -name: the guest's name, and names for threads. */
export function formatName({ domain }: Guest): Arguments {
  return ["-name", `guest=${escapeCommas(domain.name)},debug-threads=on`];
}

function disabled(enabled: boolean | undefined): number | undefined {
  return enabled === undefined ? undefined : Number(!enabled);
}
