import type { ConsoleDevice, Serial } from "../domain/devices/chardev.ts";
import type { Devices } from "../domain/devices.ts";
import type { Domain } from "../domain/domain.ts";
import { isSerialConsole } from "../domain/ports.ts";
import { fillSerial, numberConsoles } from "./devices/chardev/defaults.ts";
import { fillVideos } from "./devices/video/defaults.ts";
import type { Machine } from "./model/machine.ts";

/**
 * Adds the implicit devices of a PC: a balloon, PS/2 mouse and keyboard, an audio backend, and q35's
 * watchdog. Adds a graphics card to a display, and a serial port to a console.
 * qemuDomainDefAddDefaultDevices() and virDomainDefAddImplicitDevices() of libvirt
 */
export function addImplicitDevices(
  devices: Devices,
  machine: Machine,
  features?: Domain["features"],
): Devices {
  const serials = addPorts(addSerial(devices));
  return {
    ...devices,
    serials,
    consoles: addConsole(devices.consoles, serials[0]),
    inputs: features?.ps2?.state === false ? devices.inputs : addPs2(devices.inputs),
    audios: addAudio(devices),
    videos: addVideo(devices),
    watchdogs: addWatchdog(devices.watchdogs, machine),
    memballoon: devices.memballoon ?? { model: "virtio" },
  };
}

/** Adds the serial port of a serial console if the domain has no serial port. */
function addSerial({ serials, consoles }: Devices): readonly Serial[] {
  const first = consoles.find(isSerialConsole);
  return serials.length > 0 || first === undefined ? serials : [serialOf(first)];
}

function serialOf({ target: _target, address, ...chardev }: ConsoleDevice): Serial {
  const place = address?.type === "isa" ? { address } : {};
  return fillSerial({ ...chardev, target: { port: "0" }, ...place });
}

/** Adds a console for the first serial port, as the first console. */
function addConsole(consoles: readonly ConsoleDevice[], first: Serial | undefined): readonly ConsoleDevice[] {
  if (first === undefined) return numberConsoles(consoles);
  const { target, address: _address, ...chardev } = first;
  const others = consoles.filter((found) => !isSerialConsole(found));
  // The address of the console itself has no effect, but libvirt keeps it.
  const address = consoles.find(isSerialConsole)?.address;
  const shown = address === undefined ? {} : { address };
  const port = target?.port ?? "0";
  return numberConsoles([{ ...chardev, target: { type: "serial", port }, ...shown }, ...others]);
}

const PORTS = ["0", "1", "2", "3"] as const;

/**
 * ISA ports get the lowest free number, others the number after the highest.
 * virDomainChrIsaSerialDefPostParse()
 */
function addPorts(serials: readonly Serial[]): readonly Serial[] {
  const isIsa = ({ target }: Serial): boolean => target?.type === "isa-serial";
  const taken = new Set(serials.filter(isIsa).map(({ target }) => target?.port));
  const numbered = serials.map((serial) => {
    if (serial.target?.port !== undefined || !isIsa(serial)) return serial;
    const port = PORTS.find((free) => !taken.has(free));
    taken.add(port);
    return addPort(serial, port);
  });
  let highest = Math.max(-1, ...numbered.map(({ target }) => Number(target?.port ?? -1)));
  return numbered.map((serial) => {
    if (serial.target?.port !== undefined) return serial;
    highest += 1;
    return addPort(serial, PORTS[highest]);
  });
}

function addPort(serial: Serial, port: (typeof PORTS)[number] | undefined): Serial {
  return { ...serial, target: { ...serial.target, ...(port === undefined ? {} : { port }) } };
}

function addPs2(inputs: Devices["inputs"]): Devices["inputs"] {
  const missing = (["mouse", "keyboard"] as const).filter(
    (type) => !inputs.some((input) => input.type === type && (input.bus ?? "ps2") === "ps2"),
  );
  return [...inputs, ...missing.map((type) => ({ type, bus: "ps2" }) as const)];
}

/**
 * Adds an audio backend: SPICE if that is a display; none without a display or with VNC.
 * qemuDomainDefAddDefaultAudioBackend()
 */
function addAudio({ audios, graphics }: Devices): Devices["audios"] {
  if (audios.length > 0) return audios;
  if (graphics.some(({ type }) => type === "spice")) return [{ id: 1, type: "spice" }];
  const isNowhere = graphics.length === 0 || graphics.some(({ type }) => type === "vnc");
  return isNowhere ? [{ id: 1, type: "none" }] : [];
}

function addVideo({ graphics, videos }: Devices): Devices["videos"] {
  if (videos.length > 0 || graphics.length === 0) return videos;
  return fillVideos([{ model: { type: "cirrus" } }]);
}

function addWatchdog(watchdogs: Devices["watchdogs"], machine: Machine): Devices["watchdogs"] {
  if (machine.chipset !== "q35" || watchdogs.some(({ model }) => model === "itco")) return watchdogs;
  return [...watchdogs, { model: "itco", action: watchdogs[0]?.action ?? "reset" }];
}
