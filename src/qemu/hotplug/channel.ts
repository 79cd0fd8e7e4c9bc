import type { Channel } from "../../domain/devices/chardev.ts";
import type { Domain } from "../../domain/domain.ts";
import { canonical } from "../../domain/forms/canonical.ts";
import { formatChardevs, serialBusKeys } from "../devices/chardev/argv.ts";
import { fillChannel } from "../devices/chardev/defaults.ts";
import {
  acceptAll,
  alreadyThere,
  cannotPlug,
  type HotplugFamily,
  hasPlace,
  NEEDS_START,
  notFound,
} from "./family.ts";

/** Hot-plug of channels, identified by their name in the guest. virDomainChrFind() of libvirt */
export const CHANNEL: HotplugFamily<"channel"> = {
  name: nameChannel,
  find: findChannel,
  refusePlug,
  refuseUnplug: acceptAll,
  refuseDouble,
  // The usual rules assign a port of a controller.
  place: () => undefined,
  findAdded: ({ channels }, device) => channels.at(-1) ?? device,
  alone: (device, alias) => ({ channels: [{ ...device, alias: device.alias ?? alias }] }),
  words: (alone, _, { launch }) => formatChardevs(alone, launch),
  commandsAfter: () => [],
  prefix: "channel",
  isPlugged: (guest, { address }, { facts }) => hasPlace(facts, serialBusKeys(guest, address)),
  // Its socket is in the guest's folder, or that of peer-sockets.ts.
  resources: () => [],
  usesNetwork: () => false,
};

function nameChannel({ target }: Channel): string {
  return `channel ${(target.type === "virtio" ? target.name : target.address) ?? ""}`.trimEnd();
}

function findChannel({ devices }: Domain, meant: Channel): Channel {
  const { address, target, type } = meant;
  const found = devices.channels.find(
    (one) =>
      one.type === type &&
      canonical(one.target) === canonical(target) &&
      (address === undefined ||
        (one.address?.port === address.port && one.address?.controller === address.controller)),
  );
  if (found === undefined) throw notFound(`${nameChannel(meant)} not found`);
  return found;
}

/**
 * Accepts only a socket in the guest's folder or of another program; other backends need more than commands.
 */
function refusePlug(channel: Channel): void {
  if (channel.target.type !== "virtio") {
    throw cannotPlug("a guestfwd channel cannot be hot-plugged", NEEDS_START);
  }
  if (channel.type !== "unix") {
    const why = `a channel of type '${channel.type}' cannot be hot-plugged`;
    throw cannotPlug(why, "Write type='unix' without a path.");
  }
  const { source } = fillChannel(channel) as typeof channel;
  if (source?.path !== undefined && source.mode !== "connect") {
    const why = "the socket of a hot-plugged channel must be in the guest's folder";
    throw cannotPlug(why, "Leave its path out: svirt dumpxml then shows the path.");
  }
  if (channel.log !== undefined)
    throw cannotPlug("a channel with a <log> cannot be hot-plugged", NEEDS_START);
}

/** The guest identifies a channel by its name. qemu.git hw/char/virtio-serial-bus.c */
function refuseDouble({ devices }: Domain, { target }: Channel): void {
  const name = target.type === "virtio" ? target.name : undefined;
  const isSame = (one: Channel): boolean => one.target.type === "virtio" && one.target.name === name;
  if (name === undefined || !devices.channels.some(isSame)) return;
  const why = `chardev already exists: the domain has a channel ${name}`;
  // For a running guest too: qemuDomainChrPreInsert() of libvirt
  throw alreadyThere("defined", why, "List the domain's devices: svirt dumpxml DOMAIN");
}
