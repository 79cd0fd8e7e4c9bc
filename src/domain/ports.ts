import type { Channel, ConsoleDevice, Parallel, Serial } from "./devices/chardev.ts";
import type { Devices } from "./devices.ts";

/** Elements of character devices. */
export type PortKind = "serial" | "parallel" | "console" | "channel";

/** Character device of QEMU; `device` is the kind of port that the guest sees. */
export type Port =
  | { readonly device: "serial"; readonly chardev: Serial | ConsoleDevice }
  | { readonly device: "parallel"; readonly chardev: Parallel }
  | { readonly device: "console"; readonly chardev: ConsoleDevice }
  | { readonly device: "channel"; readonly chardev: Channel };

/**
 * Lists the character devices of QEMU. A console of type serial is another name for the first serial port: it
 * is a device of its own only without `<serial>`. virDomainDefAddConsoleCompat() of libvirt
 */
export function listPorts(devices: Devices): readonly Port[] {
  const serials: readonly (Serial | ConsoleDevice)[] =
    devices.serials.length > 0 ? devices.serials : devices.consoles.filter(isSerialConsole);
  return [
    ...serials.map((chardev) => ({ device: "serial", chardev }) as const),
    ...devices.parallels.map((chardev) => ({ device: "parallel", chardev }) as const),
    ...devices.consoles
      .filter((chardev) => !isSerialConsole(chardev))
      .map((chardev) => ({ device: "console", chardev }) as const),
    ...devices.channels.map((chardev) => ({ device: "channel", chardev }) as const),
  ];
}

/** Whether the console is another name for the first serial port. */
export function isSerialConsole(chardev: ConsoleDevice): boolean {
  return (chardev.target?.type ?? "serial") === "serial";
}
