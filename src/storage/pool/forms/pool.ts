import { sizeInBytes } from "../../../domain/forms/byte-size.ts";
import { absolutePath, domainName, uuid } from "../../../domain/forms/text.ts";
import type { Field } from "../../../xml/declaration.ts";
import { checked, element, paired, type ValueOf } from "../../../xml/element.ts";
import { attribute, child, children, required, textOf } from "../../../xml/field.ts";
import { missing } from "../../../xml/refusal.ts";
import { matching, oneOf, yesNo } from "../../../xml/value-form.ts";
import { permissions } from "../../permissions.ts";
import { backendOf } from "../backends/table.ts";
import { POOL_TYPES } from "../pool-types.ts";
import { source } from "../source/source.ts";
import { refuseIncomplete } from "./pool-rules.ts";

const type = oneOf(...POOL_TYPES);
const ownName = textOf("name", domainName);

/**
 * Name of a pool. By default, its source's name, in types with a name of the source.
 * virStoragePoolDefParseXML() of libvirt
 */
const name: Field<string> = {
  place: ownName.place,
  read(node, faults) {
    const own = ownName.read(node, faults);
    if (own !== undefined) return own;
    const is = type.decode(node.attributes.get("type") ?? "");
    const from = node.children.find(({ tag }) => tag === "source");
    const found = from?.children.find(({ tag }) => tag === "name")?.text ?? "";
    const isNamed = is !== undefined && backendOf(is).parts.includes("name");
    const taken = isNamed ? domainName.decode(found) : undefined;
    if (taken !== undefined) return taken;
    throw missing({ node, place: "name" }, "it is missing");
  },
  write: (draft, value) => ownName.write(draft, value),
};

const target = element("target", () => ({
  path: textOf("path", absolutePath),
  permissions: child(permissions),
}));

const optionName = matching(/^[^\p{Cc}]{1,4096}$/u, "an option in one line");
const mountOption = element("fs:option", () => ({ name: required(attribute("name", optionName)) }));
const rbdOption = element("rbd:option", () => ({
  name: required(attribute("name", optionName)),
  value: required(attribute("value", optionName)),
}));

const written = element("pool", () => ({
  type: required(attribute("type", type)),
  name,
  uuid: textOf("uuid", uuid),
  capacityBytes: sizeInBytes("capacity", { least: 0 }),
  allocationBytes: sizeInBytes("allocation", { least: 0 }),
  availableBytes: sizeInBytes("available", { least: 0 }),
  features: child(
    element("features", () => ({
      cow: child(element("cow", () => ({ state: required(attribute("state", yesNo)) }))),
    })),
  ),
  source: child(paired(source)),
  target: child(target),
  refresh: child(
    element("refresh", () => ({
      volume: child(
        element("volume", () => ({ allocation: attribute("allocation", oneOf("default", "capacity")) })),
      ),
    })),
  ),
  mountOptions: child(element("fs:mount_opts", () => ({ options: children(mountOption) }))),
  rbdOptions: child(element("rbd:config_opts", () => ({ options: children(rbdOption) }))),
}));

/** `<pool>`, https://libvirt.org/formatstorage.html#storage-pool-xml */
export const poolForm = checked(written, refuseIncomplete);

/** A pool as it is written. */
export type WrittenPool = ValueOf<typeof written>;
