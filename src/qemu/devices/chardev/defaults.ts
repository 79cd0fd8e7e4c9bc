import type { Channel, ConsoleDevice, Parallel, Serial } from "../../../domain/devices/chardev.ts";
import { isOwnSocket } from "../../argument/own-socket.ts";

/** A serial port with its kind and the model that stands for it. qemuDomainChrDefPostParse() of libvirt */
export function fillSerial(serial: Serial): Serial {
  const type = serial.target?.type ?? "isa-serial";
  const model = serial.target?.model ?? { name: type === "isa-debug" ? "isa-debugcon" : type };
  return { ...fillProtocol(serial), target: { ...serial.target, type, model } };
}

/** On TCP nothing is said before the guest's own bytes, unless the XML says that it is telnet. */
export function fillProtocol<D extends Serial | Parallel | ConsoleDevice | Channel>(device: D): D {
  if (device.type !== "tcp" || device.protocol !== undefined) return device;
  return { ...device, protocol: { type: "raw" } };
}

/** Where libvirt itself puts the sockets of channels for which nobody chose a path, up to the channel's own name. */
const CHOSEN_PATH =
  /^\/var\/(?:lib|run)\/libvirt\/qemu\/channel\/(?:target\/)?(?:[^/]+\.|(?:domain-|\d+-)[^/]+\/)$/;

/** A channel for which a path is still to be chosen, or was by svirt or libvirt, has no source: it listens at the next one. */
export function fillChannel(channel: Channel): Channel {
  if (channel.type !== "unix") return fillProtocol(channel);
  const { source, ...rest } = channel;
  return source?.path === undefined || isChosen(source.path, channel) ? rest : channel;
}

// qemuDomainChrDefDropDefaultPath() of libvirt
function isChosen(path: string, { target }: Channel): boolean {
  if (isOwnSocket(path)) return true;
  const name = target.type === "virtio" ? target.name : undefined;
  return name !== undefined && path.endsWith(name) && CHOSEN_PATH.test(path.slice(0, -name.length));
}

/** Parallel ports with their numbers: those without one come after the highest. virDomainDefParseXML() of libvirt */
export function numberParallels(parallels: readonly Parallel[]): readonly Parallel[] {
  let highest = Math.max(-1, ...parallels.map(({ target }) => target?.port ?? -1));
  return parallels.map((device) => {
    if (device.target?.port !== undefined) return device;
    highest += 1;
    return { ...device, target: { port: highest } };
  });
}

/** Consoles by their kind, each with its place among them as its number. virDomainDefParseXML() of libvirt */
export function numberConsoles(consoles: readonly ConsoleDevice[]): readonly ConsoleDevice[] {
  return consoles.map((device, index) => {
    const type = device.target?.type ?? "serial";
    return type === "serial" ? device : { ...device, target: { type, port: String(index) } };
  });
}
