import type { NetworkInterface } from "../domain/network-interface.ts";
import type { BootIndexes } from "./boot-index.ts";
import { pciKeys } from "./device-bus.ts";
import type { Guest } from "./guest.ts";
import { cannotTranslate, devicePath } from "./refusal.ts";
import { jsonWords, type Words } from "./words.ts";

/** QEMU's driver for each model; without one libvirt takes rtl8139 on a PC. */
const DRIVERS: ReadonlyMap<string, string> = new Map([["virtio", "virtio-net-pci"]]);

/** -netdev and -device for each interface. qemuBuildInterfaceCommandLine() of libvirt */
export function formatInterfaces(guest: Guest, boot: BootIndexes): Words {
  return guest.devices.interfaces.flatMap((found, index) => formatInterface(guest, found, { index, boot }));
}

function formatInterface(
  guest: Guest,
  found: NetworkInterface,
  { index, boot }: { readonly index: number; readonly boot: BootIndexes },
): Words {
  const id = found.alias ?? `net${index}`;
  const model = found.model?.type ?? "rtl8139";
  if (found.mac === undefined) {
    const remedy = "Write <mac address='52:54:00:…'/>; svirt define does so by itself.";
    throw cannotTranslate(`${devicePath("interface", index)}/mac`, "it has no address yet", remedy);
  }
  const device = {
    driver: DRIVERS.get(model) ?? model,
    netdev: `host${id}`,
    id,
    mac: found.mac.address,
    bootindex: boot.get(found),
    ...pciKeys(guest, found.address),
  };
  return [...jsonWords("-netdev", { type: "user", id: `host${id}` }), ...jsonWords("-device", device)];
}
