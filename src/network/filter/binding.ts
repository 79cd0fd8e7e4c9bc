import { deviceName } from "../../domain/devices/network/source.ts";
import { macAddress, objectName, uuid, word } from "../../domain/forms/text.ts";
import { element, type ValueOf } from "../../xml/element.ts";
import { attribute, child, children, required, textOf } from "../../xml/field.ts";
import { formatDocument } from "../../xml/format-document.ts";

/** `<filterbinding>`: a filter of a guest's interface. src/conf/schemas/nwfilterbinding.rng of libvirt */
const filterbinding = element("filterbinding", () => ({
  owner: required(
    child(
      element("owner", () => ({
        name: required(textOf("name", objectName)),
        uuid: required(textOf("uuid", uuid)),
      })),
    ),
  ),
  portdev: required(child(element("portdev", () => ({ name: required(attribute("name", deviceName)) })))),
  mac: required(child(element("mac", () => ({ address: required(attribute("address", macAddress)) })))),
  filterref: required(
    child(
      element("filterref", () => ({
        filter: required(attribute("filter", objectName)),
        parameters: children(
          element("parameter", () => ({
            name: required(attribute("name", word)),
            value: required(attribute("value", objectName)),
          })),
        ),
      })),
    ),
  ),
}));

/** A filter of a guest's interface. */
export type FilterBinding = ValueOf<typeof filterbinding>;

/** Returns the XML in libvirt's layout. virNWFilterBindingDefFormatBuf() of libvirt */
export function formatBinding(binding: FilterBinding): string {
  return formatDocument(filterbinding.format(binding));
}
