import { type Arguments, jsonArguments, keyValues } from "./argument/argument.ts";
import { type Descriptor, fdsetPath, isInSet, type Launch, passedName } from "./launch.ts";
import type { Guest } from "./model/guest.ts";
import { cannotTranslate } from "./refusal.ts";

/**
 * Formats -add-fd for the descriptors of a real start; otherwise libvirt's object with its key for secrets.
 */
export function formatHandover({ domain }: Guest, launch: Launch | undefined): Arguments {
  if (launch !== undefined) {
    return launch.descriptors.filter(isInSet).flatMap(formatAddFd);
  }
  const file = `/var/lib/libvirt/qemu/domain--1-${domain.name}/master-key.aes`;
  return jsonArguments("-object", { "qom-type": "secret", id: "masterKey0", format: "raw", file });
}

/** Formats -accel. svirt opens /dev/kvm too. qemuBuildAccelCommandLine() of libvirt */
export function formatAccelerator({ domain }: Guest, launch: Launch | undefined): Arguments {
  const { kvm, tcg } = domain.features ?? {};
  if (domain.type === "qemu") return ["-accel", `tcg${tcg === undefined ? "" : cacheWord(tcg.tbCacheKiB)}`];
  if (tcg !== undefined) {
    throw cannotTranslate("/domain/features/tcg", "KVM does not translate code", "Leave it out.");
  }
  const opened = launch?.descriptors.find(({ purpose }) => purpose === "kvm");
  const device = opened === undefined ? "" : `,device=${fdsetPath(opened)}`;
  const ring = kvm?.dirtyRing?.state === true ? `,dirty-ring-size=${kvm.dirtyRing.size}` : "";
  return ["-accel", `kvm${device}${ring}`];
}

/** QEMU takes the size of the translation cache in MiB. */
function cacheWord(sizeKiB = 0): string {
  return sizeKiB === 0 ? "" : `,tb-size=${Math.floor(sizeKiB / 1024)}`;
}

/**
 * Formats the monitor, a listening socket passed to QEMU by svirt, and the monitor for events of a real
 * start: a monitor has a single client at a time.
 */
export function formatMonitor(launch: Launch | undefined): Arguments {
  const events = launch?.eventsFd === undefined ? [] : monitorOn("events", launch.eventsFd);
  return [...monitorOn("monitor", launch?.monitorFd ?? 3), ...events];
}

function monitorOn(id: string, fd: number): Arguments {
  const socket = `socket,id=char${id},fd=${fd},server=on,wait=off`;
  return ["-chardev", socket, "-mon", `chardev=char${id},id=${id},mode=control`];
}

/**
 * Formats -kernel, -initrd and -append. QEMU opens and maps these files itself, by name. qemu.git
 * hw/i386/x86-common.c x86_load_linux()
 */
export function formatKernel({ domain }: Guest, launch: Launch | undefined): Arguments {
  const { kernel, initrd, cmdline, shim, dtb } = domain.os;
  const nameOf = (purpose: Descriptor["purpose"], path: string): string =>
    passedName(launch, { path, purpose, access: "read-only" });
  return [
    ...(kernel === undefined ? [] : ["-kernel", nameOf("kernel", kernel)]),
    ...(initrd === undefined ? [] : ["-initrd", nameOf("initrd", initrd)]),
    ...(cmdline === undefined ? [] : ["-append", cmdline]),
    ...(shim === undefined ? [] : ["-shim", nameOf("boot-file", shim)]),
    ...(dtb === undefined ? [] : ["-dtb", nameOf("boot-file", dtb)]),
  ];
}

/**
 * Formats -acpitable. A raw table has its own header; others get a signature. qemuBuildBootCommandLine() of
 * libvirt
 */
export function formatAcpiTables({ domain }: Guest, launch: Launch | undefined): Arguments {
  return (domain.os.acpi?.tables ?? []).flatMap(({ type, path }) => {
    const sig = type === "raw" ? undefined : type.toUpperCase();
    return [
      "-acpitable",
      keyValues([
        ["sig", sig],
        ["file", passedName(launch, { path, purpose: "boot-file", access: "read-only" })],
      ]),
    ];
  });
}

function formatAddFd({ fd }: Descriptor): Arguments {
  return ["-add-fd", `fd=${fd},set=${fd}`];
}
