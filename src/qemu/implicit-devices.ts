import type { ConsoleDevice, Serial } from "../domain/chardev.ts";
import type { Devices } from "../domain/devices.ts";
import { isSerialConsole } from "../domain/ports.ts";
import type { Machine } from "./machine.ts";

const NONE: Devices = {
  disks: [],
  controllers: [],
  interfaces: [],
  serials: [],
  consoles: [],
  channels: [],
  inputs: [],
  graphics: [],
  audios: [],
  videos: [],
  watchdogs: [],
  rngs: [],
};

/**
 * Adds the devices that a PC has although nobody wrote them: a balloon, the PS/2 mouse and keyboard, a graphics card
 * where there is a display, q35's own watchdog, and the serial port that a console stands for.
 * qemuDomainDefAddDefaultDevices() and virDomainDefAddImplicitDevices() of libvirt
 */
export function addImplicitDevices(written: Devices | undefined, machine: Machine): Devices {
  const devices = written ?? NONE;
  return {
    ...devices,
    serials: addPorts(addSerial(devices)),
    consoles: addConsole(devices),
    inputs: addPs2(devices.inputs),
    videos: addVideo(devices),
    watchdogs: addWatchdog(devices.watchdogs, machine),
    memballoon: devices.memballoon ?? { model: "virtio" },
  };
}

/** A console without any serial port is a serial port itself. */
function addSerial({ serials, consoles }: Devices): readonly Serial[] {
  const first = consoles.find(isSerialConsole);
  return serials.length > 0 || first === undefined ? serials : [serialOf(first)];
}

function serialOf({ target: _target, address: _address, ...chardev }: ConsoleDevice): Serial {
  return { ...chardev, target: { type: "isa-serial", port: "0" } };
}

/** And the first serial port is a console: it takes the first number among the consoles. */
function addConsole({ serials, consoles }: Devices): readonly ConsoleDevice[] {
  const [first] = serials;
  if (first === undefined || consoles.some(isSerialConsole)) return consoles;
  const { target: _target, address: _address, ...chardev } = first;
  return [{ ...chardev, target: { type: "serial", port: "0" } }, ...consoles];
}

function addPorts(serials: readonly Serial[]): readonly Serial[] {
  const taken = new Set(serials.map(({ target }) => target?.port));
  return serials.map((serial) => {
    if (serial.target?.port !== undefined) return serial;
    const port = (["0", "1", "2", "3"] as const).find((free) => !taken.has(free));
    taken.add(port);
    return { ...serial, target: { ...serial.target, ...(port === undefined ? {} : { port }) } };
  });
}

function addPs2(inputs: Devices["inputs"]): Devices["inputs"] {
  const missing = (["mouse", "keyboard"] as const).filter(
    (type) => !inputs.some((input) => input.type === type && (input.bus ?? "ps2") === "ps2"),
  );
  return [...inputs, ...missing.map((type) => ({ type, bus: "ps2" }) as const)];
}

/** The primary card comes first, since QEMU gives the first one the firmware's screen. */
function addVideo({ graphics, videos }: Devices): Devices["videos"] {
  if (videos.length === 0) return graphics.length === 0 ? [] : [{ model: { type: "cirrus" } }];
  const primary = videos.filter(({ model }) => model.primary === true);
  return [...primary, ...videos.filter(({ model }) => model.primary !== true)];
}

function addWatchdog(watchdogs: Devices["watchdogs"], machine: Machine): Devices["watchdogs"] {
  if (machine.chipset !== "q35" || watchdogs.some(({ model }) => model === "itco")) return watchdogs;
  const action = watchdogs[0]?.action;
  return [...watchdogs, { model: "itco", ...(action === undefined ? {} : { action }) }];
}
