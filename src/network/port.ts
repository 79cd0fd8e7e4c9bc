import { interfaceBandwidth, portOptions, virtualport, vlan } from "../domain/devices/network/options.ts";
import { deviceName } from "../domain/devices/network/source.ts";
import { macAddress, objectName, uuid } from "../domain/forms/text.ts";
import { choice } from "../xml/choice.ts";
import { element, type ValueOf } from "../xml/element.ts";
import { attribute, child, required, textOf } from "../xml/field.ts";
import { formatDocument } from "../xml/format-document.ts";
import { oneOf } from "../xml/value-form.ts";

/** `<networkport>`: a guest's interface on a network. https://libvirt.org/formatnetworkport.html */
const networkport = element("networkport", () => ({
  uuid: required(textOf("uuid", uuid)),
  owner: required(
    child(
      element("owner", () => ({
        name: required(textOf("name", objectName)),
        uuid: required(textOf("uuid", uuid)),
      })),
    ),
  ),
  group: textOf("group", objectName),
  mac: required(child(element("mac", () => ({ address: required(attribute("address", macAddress)) })))),
  virtualport: child(virtualport),
  bandwidth: interfaceBandwidth,
  vlan: child(vlan),
  port: portOptions,
  plug: required(
    child(
      choice("plug", {
        attribute: "type",
        of: () => ({
          network: { bridge: required(attribute("bridge", deviceName)) },
          bridge: { bridge: required(attribute("bridge", deviceName)) },
          direct: {
            dev: required(attribute("dev", deviceName)),
            mode: required(attribute("mode", oneOf("vepa", "private", "bridge", "passthrough"))),
          },
        }),
      }),
    ),
  ),
}));

/** Guest's interface on a network. */
export type Networkport = ValueOf<typeof networkport>;

/** Returns the XML in libvirt's layout. virNetworkPortDefFormatBuf() of libvirt */
export function formatPort(port: Networkport): string {
  return formatDocument(networkport.format(port));
}
