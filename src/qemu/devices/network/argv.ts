import { isVirtio } from "../../../domain/devices/is-virtio.ts";
import type { NetworkInterface } from "../../../domain/devices/network/interface.ts";
import { type Arguments, jsonArguments } from "../../argument/argument.ts";
import type { BootIndexes } from "../../argument/boot-index.ts";
import { acpiKeys, pciKeys, romKeys, usbKeys } from "../../argument/bus-properties.ts";
import { virtioDriver, virtioKeys } from "../../argument/virtio-properties.ts";
import { interfaceNumber } from "../../device-number.ts";
import type { Launch } from "../../launch.ts";
import type { Guest } from "../../model/guest.ts";
import { devicePath } from "../../refusal.ts";
import { formatNetdev, netdevId } from "./netdev.ts";
import { refuseInterface } from "./rules.ts";

/**
 * -netdev and -device for each interface, except passed-through host devices. qemuBuildNetCommandLine() of
 * libvirt
 */
export function formatInterfaces(guest: Guest, boot: BootIndexes, launch: Launch | undefined): Arguments {
  return guest.devices.interfaces.flatMap((found, index) => {
    refuseInterface(guest, found, devicePath("interface", index));
    if (found.type === "hostdev") return [];
    const id = interfaceId(guest.devices.interfaces, index);
    const device = {
      ...modelKeys(found),
      netdev: netdevId(id),
      id,
      mac: found.mac?.address,
      bootindex: boot.get(found),
      ...(found.address?.type === "usb" ? usbKeys(guest, found.address) : pciKeys(guest, found.address)),
      ...acpiKeys(found.acpi),
      ...romKeys(found.rom),
    };
    return [...formatNetdev(guest, found, { id, launch }), ...jsonArguments("-device", device)];
  });
}

/** Returns QEMU's id of an interface, by its index in the domain. */
export function interfaceId(interfaces: readonly NetworkInterface[], index: number): string {
  return interfaces[index]?.alias ?? `net${interfaceNumber(interfaces, index)}`;
}

/** Driver and its properties, which only virtio has. qemuBuildNicDevProps() of libvirt */
function modelKeys(found: Exclude<NetworkInterface, { readonly type: "hostdev" }>): object {
  if (!isVirtio(found)) return { driver: found.model?.type ?? "rtl8139" };
  const { driver, mtu, teaming, model } = found;
  const { host, guest, queues = 1 } = driver ?? {};
  const isMulti = queues > 1;
  return {
    driver: virtioDriver("virtio-net", model?.type),
    ...virtioKeys(driver),
    tx: driver?.txmode === undefined ? undefined : TX_MODES[driver.txmode],
    ioeventfd: driver?.ioeventfd,
    event_idx: driver?.eventIdx,
    csum: host?.csum,
    gso: host?.gso,
    ...offloadKeys("host", host),
    mrg_rxbuf: host?.mrgRxbuf,
    guest_csum: guest?.csum,
    ...offloadKeys("guest", guest),
    mq: isMulti ? true : undefined,
    // Two vectors for each queue, another for the control queue, another for configuration changes.
    vectors: isMulti ? 2 * queues + 2 : undefined,
    rx_queue_size: driver?.rxQueueSize,
    tx_queue_size: driver?.txQueueSize,
    rss: driver?.rss,
    hash: driver?.rssHashReport,
    host_mtu: mtu?.size,
    failover: teaming?.type === "persistent" ? true : undefined,
  };
}

const TX_MODES = { iothread: "bh", timer: "timer" } as const;

interface Offloads {
  readonly tso4?: boolean;
  readonly tso6?: boolean;
  readonly ecn?: boolean;
  readonly ufo?: boolean;
}

function offloadKeys(side: "host" | "guest", offloads: Offloads | undefined): object {
  return {
    [`${side}_tso4`]: offloads?.tso4,
    [`${side}_tso6`]: offloads?.tso6,
    [`${side}_ecn`]: offloads?.ecn,
    [`${side}_ufo`]: offloads?.ufo,
  };
}
