import { addPciDomain, hostPciAddress } from "../../../domain/forms/address.ts";
import { choice } from "../../../xml/choice.ts";
import { checked, element, rewritten, type ValueOf } from "../../../xml/element.ts";
import { attribute, child, required } from "../../../xml/field.ts";
import type { XmlNode } from "../../../xml/node.ts";
import { notUnderstood } from "../../../xml/refusal.ts";
import { integer, matching, yesNo } from "../../../xml/value-form.ts";

/** World wide name. virValidateWWN() of libvirt */
const wwn = matching(/^[0-9a-fA-F]{16}$/, "a world wide name of 16 hexadecimal digits");
/** Name of a SCSI host, `host0` or `scsi_host0`. getAdapterName() of libvirt */
const hostName = matching(/^[A-Za-z0-9_]{1,64}$/, "a SCSI host's name, such as scsi_host0");

const parentaddr = element("parentaddr", () => ({
  uniqueId: required(attribute("unique_id", integer(0, 2 ** 31 - 1))),
  address: required(child(rewritten(hostPciAddress, addPciDomain))),
}));

const written = choice("adapter", {
  attribute: "type",
  absent: "scsi_host",
  of: () => ({
    scsi_host: { name: attribute("name", hostName), parentaddr: child(parentaddr) },
    fc_host: {
      parent: attribute("parent", hostName),
      parentWwnn: attribute("parent_wwnn", wwn),
      parentWwpn: attribute("parent_wwpn", wwn),
      parentFabricWwn: attribute("parent_fabric_wwn", wwn),
      managed: attribute("managed", yesNo),
      wwnn: required(attribute("wwnn", wwn)),
      wwpn: required(attribute("wwpn", wwn)),
    },
  }),
});

/** SCSI or Fibre Channel adapter of the host. */
export type Adapter = ValueOf<typeof written>;

/** `<adapter>` of a pool's source, https://libvirt.org/formatstorage.html#source-elements */
export const adapter = checked(written, refuseIncomplete);

/** virStorageAdapterParseXMLLegacy() and virStorageAdapterValidate() of libvirt */
function refuseIncomplete(value: Adapter, node: XmlNode): void {
  if (value.type === "fc_host") {
    const { parentWwnn, parentWwpn } = value;
    if ((parentWwnn === undefined) === (parentWwpn === undefined)) return;
    const place = parentWwnn === undefined ? "@parent_wwnn" : "@parent_wwpn";
    const why = "it is missing, and a parent is identified by both its names";
    throw notUnderstood({ node, place }, why, "Write both parent_wwnn and parent_wwpn.");
  }
  const { name, parentaddr: parent } = value;
  if ((name === undefined) === (parent === undefined)) {
    const why = "it needs either a name or the address of its PCI device";
    throw notUnderstood({ node }, why, "Write one of name='…' and <parentaddr>.");
  }
  if (parent === undefined || node.attributes.has("type")) return;
  throw notUnderstood({ node, place: "@type" }, "<parentaddr> requires it", "Write type='scsi_host'.");
}
