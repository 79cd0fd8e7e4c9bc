import { choice } from "../xml/choice.ts";
import { element, type ValueOf } from "../xml/element.ts";
import { attribute, child, required } from "../xml/field.ts";
import { oneOf } from "../xml/value-form.ts";
import { onPci } from "./address.ts";
import { bootOrder } from "./boot-order.ts";
import { macAddress } from "./words.ts";

const mac = element("mac", { address: required(attribute("address", macAddress)) });
const model = element("model", {
  type: required(
    attribute("type", oneOf("virtio", "e1000", "e1000e", "rtl8139", "ne2k_pci", "pcnet", "vmxnet3")),
  ),
});
const link = element("link", { state: required(attribute("state", oneOf("up", "down"))) });

const needsTap = "svirt does not make tap devices yet";

/** `<interface>` of QEMU's own user network, https://libvirt.org/formatdomain.html#userspace-connection-using-slirp */
export const networkInterface = choice("interface", {
  attribute: "type",
  of: { user: { mac: child(mac), model: child(model), link: child(link), boot: bootOrder, ...onPci } },
  refused: {
    network: needsTap,
    bridge: needsTap,
    ethernet: needsTap,
    direct: needsTap,
    hostdev: "svirt does not pass devices through yet",
    vdpa: "svirt does not pass devices through yet",
    vhostuser: "svirt does not connect to vhost-user programs yet",
    vds: "it is for another hypervisor",
    internal: "it is for another hypervisor",
    null: "svirt does not make unconnected interfaces yet",
    udp: "svirt does not tunnel guests' traffic",
    mcast: "svirt does not tunnel guests' traffic",
    server: "svirt does not tunnel guests' traffic",
    client: "svirt does not tunnel guests' traffic",
  },
});
export type NetworkInterface = ValueOf<typeof networkInterface>;
