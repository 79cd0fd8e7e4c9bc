import type { BridgeMark, HostBridge } from "../../src/network/bridge/host-bridge.ts";
import type { Shape } from "../../src/network/traffic-shape.ts";
import type { FloorTarget, Macvtap, PassedTap, TapSetup } from "../../src/plan/facts/tap.ts";
import { hostCall } from "./file-tree.ts";
import type { Machine } from "./machine.ts";

const DEVICES = "/sys/class/net";

/**
 * Taps of guests, as /sys shows them. A tap that is not persistent disappears with the process that has it
 * open.
 */
export class Taps {
  readonly #machine: Machine;
  readonly #holders = new Map<string, { readonly pid: number; readonly tap: PassedTap }>();
  readonly #macvtaps = new Map<string, Macvtap>();

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** Adds a persistent tap of an administrator that no process has open. */
  addPersistent(name: string): void {
    this.#write(`${name}/tun_flags`, "0x1802");
    this.#write(`${name}/flags`, "0x1003");
    this.#write(`${name}/carrier`, "0");
  }

  /** Adds a bridge of an administrator. */
  addBridge(name: string): void {
    this.#write(`${name}/mtu`, "1500");
    this.#write(`${name}/bridge/vlan_filtering`, "1");
    this.#write(`${name}/bridge/default_pvid`, "1");
    this.#machine.files.putFolder(`${DEVICES}/${name}/brif`);
  }

  /** Adds the device of an Open vSwitch bridge, which is no bridge of the kernel. */
  addSwitch(name: string): void {
    this.#write(`${name}/mtu`, "1500");
  }

  /** Adds a bridge of a network, marked from its beginning on; brings it up last. */
  makeBridge({ addresses, inbound, mac, mtu, name }: HostBridge, midway: () => void): void {
    if (this.#isThere(name)) throw hostCall(`create the bridge ${name}`, "EEXIST");
    this.#write(`${name}/address`, mac);
    this.#write(`${name}/netdev_group`, "svirt");
    midway();
    this.addBridge(name);
    if (mtu !== undefined) this.#write(`${name}/mtu`, String(mtu));
    if (inbound !== undefined) this.#write(`${name}/shape`, JSON.stringify(inbound));
    this.#write(`${name}/addresses`, JSON.stringify(addresses));
    this.#write(`${name}/operstate`, "up");
  }

  removeBridge({ mac, name }: BridgeMark): void {
    if (this.#read(`${name}/netdev_group`) !== "svirt" || this.#read(`${name}/address`) !== mac) return;
    const { files } = this.#machine;
    const folder = `${DEVICES}/${name}`;
    for (const inner of ["bridge", "brif", "floors"]) {
      for (const file of files.find(`${folder}/${inner}`)?.inode.entries.keys() ?? [])
        files.remove(`${folder}/${inner}/${file}`);
    }
    for (const entry of files.get(folder).entries.keys()) files.remove(`${folder}/${entry}`);
    files.remove(folder);
  }

  /** Passes the queues of a tap to a process, and creates the tap if `isMade`. */
  hand(tap: PassedTap, pid: number): void {
    const { isMade, macvtap, name } = tap;
    if (macvtap !== undefined && !this.#isThere(name)) throw hostCall(`find the macvtap ${name}`, "ENODEV");
    if (macvtap !== undefined) return;
    if (isMade && this.#isThere(name)) throw hostCall(`open the tap ${name}`, "EBUSY");
    if (isMade) this.#write(`${name}/tun_flags`, "0x1002");
    else this.#write(`${name}/carrier`, "1");
    this.#holders.set(name, { pid, tap });
  }

  setUp(
    { bridge, mac, name }: TapSetup,
    { midway, how }: { midway(): void; readonly how: "down" | undefined },
  ): void {
    if (!this.#isThere(name)) throw hostCall(`find the network device ${name}`, "ENODEV");
    this.#write(`${name}/address`, mac);
    midway();
    if (bridge !== undefined) this.#write(`${bridge}/brif/${name}`, "");
    if (how !== "down") this.#write(`${name}/operstate`, "up");
  }

  /** Limits the frames to a guest, until the tap is gone. */
  shape(name: string, shape: Shape | undefined): void {
    if (shape === undefined) {
      this.#machine.files.remove(`${DEVICES}/${name}/shape`);
      return;
    }
    if (!this.#isThere(name)) throw hostCall(`find the network device ${name}`, "ENODEV");
    this.#write(`${name}/shape`, JSON.stringify(shape));
  }

  /** Guarantees an address a share of a network's bridge, until the bridge is gone. */
  setFloor({ bridge, mac }: FloorTarget, bytesPerSecond: number | undefined, midway: () => void): void {
    const file = `${bridge}/floors/${mac}`;
    if (bytesPerSecond === undefined) {
      midway();
      if (this.#read(file) !== undefined) this.#machine.files.remove(`${DEVICES}/${file}`);
      return;
    }
    if (this.#read(`${bridge}/shape`) === undefined)
      throw hostCall(`guarantee a share of the bridge ${bridge}`, "ENOENT");
    this.#write(file, String(bytesPerSecond));
    midway();
  }

  remove({ mac, name }: { readonly name: string; readonly mac: string }): void {
    if (this.#read(`${name}/address`) === mac) this.#drop(name);
  }

  disconnect({ mac, name }: { readonly name: string; readonly mac: string }): void {
    if (this.#read(`${name}/address`) !== mac) return;
    const { files } = this.#machine;
    for (const bridge of files.get(DEVICES).entries.keys()) files.remove(`${DEVICES}/${bridge}/brif/${name}`);
    files.remove(`${DEVICES}/${name}/operstate`);
  }

  /**
   * Adds a macvtap, which stays until it is removed. It is brought up last. macvlan_common_newlink() in
   * drivers/net/macvlan.c
   */
  addMacvtap(link: Macvtap, midway: () => void): void {
    const { group, lower, mac, mode, name } = link;
    if (!this.#isThere(lower)) throw hostCall(`find the network device ${lower}`, "ENODEV");
    if (this.#isThere(name)) throw hostCall(`create the macvtap ${name}`, "EEXIST");
    const others = [...this.#macvtaps.values()].filter((one) => one.lower === lower);
    if (others.some((one) => one.mode === "passthrough") || (mode === "passthrough" && others.length > 0))
      throw hostCall(`create the macvtap ${name}`, "EINVAL");
    this.#macvtaps.set(name, link);
    this.#write(`${name}/netdev_group`, String(group));
    midway();
    this.#write(`${name}/address`, mac);
    this.#write(`${name}/operstate`, "up");
  }

  removeMacvtap({ group, name }: Pick<Macvtap, "name" | "group">): void {
    if (this.#read(`${name}/netdev_group`) !== String(group)) return;
    this.#machine.files.remove(`${DEVICES}/${name}/netdev_group`);
    this.#drop(name);
  }

  /** Closes the taps of a process: all of them, or only that of a netdev or of a descriptor's name. */
  letGo(pid: number, what?: string): void {
    for (const [name, { pid: holder, tap }] of this.#holders) {
      const isMeant = what === undefined || tap.netdev === what || tap.queues.includes(what);
      if (holder === pid && isMeant) this.#close(name, tap);
    }
  }

  #close(name: string, { isMade }: PassedTap): void {
    if (isMade) {
      this.#drop(name);
      return;
    }
    this.#holders.delete(name);
    this.#write(`${name}/carrier`, "0");
  }

  #drop(name: string): void {
    const { files } = this.#machine;
    this.#holders.delete(name);
    this.#macvtaps.delete(name);
    for (const bridge of files.get(DEVICES).entries.keys()) files.remove(`${DEVICES}/${bridge}/brif/${name}`);
    for (const file of ["tun_flags", "address", "operstate", "shape"])
      files.remove(`${DEVICES}/${name}/${file}`);
    files.remove(`${DEVICES}/${name}`);
  }

  #isThere(name: string): boolean {
    return this.#machine.files.find(`${DEVICES}/${name}`) !== undefined;
  }

  #read(path: string): string | undefined {
    const found = this.#machine.files.find(`${DEVICES}/${path}`);
    return found === undefined ? undefined : new TextDecoder().decode(found.inode.bytes);
  }

  #write(path: string, text: string): void {
    const at = `${DEVICES}/${path}`;
    this.#machine.files.putFolder(at.slice(0, at.lastIndexOf("/")));
    if (this.#machine.files.find(at) === undefined) this.#machine.files.put(at, "file");
    this.#machine.files.get(at).bytes = new TextEncoder().encode(text);
  }
}
