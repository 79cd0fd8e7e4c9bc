import { checked, element, type ValueOf } from "../../xml/element.ts";
import { attribute, child, required } from "../../xml/field.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { integer, matching, oneOf, onOff } from "../../xml/value-form.ts";
import { onPci } from "../forms/address.ts";
import { sizeInKiB } from "../forms/memory-size.ts";
import { absolutePath } from "../forms/text.ts";

const name = matching(/^(?!\.{1,2}$)[^/\p{Cc}]{1,200}$/u, "a name without a slash");

const model = element("model", () => ({
  type: required(attribute("type", oneOf("ivshmem-plain", "ivshmem-doorbell"))),
}));
const server = element("server", () => ({ path: attribute("path", absolutePath) }));
const msi = element("msi", () => ({
  ioeventfd: attribute("ioeventfd", onOff),
  vectors: attribute("vectors", integer(0, 2 ** 32 - 1)),
}));

/** `<shmem>`, https://libvirt.org/formatdomain.html#shared-memory-device */
export const shmem = checked(
  element("shmem", () => ({
    name: required(attribute("name", name)),
    role: attribute("role", oneOf("master", "peer")),
    model: required(child(model)),
    sizeKiB: sizeInKiB("size", { bare: "b", written: "M" }),
    server: child(server),
    msi: child(msi),
    ...onPci,
  })),
  (value, node) => {
    const isPlain = value.model.type === "ivshmem-plain";
    const strange = (isPlain ? (["server", "msi"] as const) : (["sizeKiB"] as const)).find(
      (key) => value[key] !== undefined,
    );
    if (strange !== undefined) {
      const place = strange === "sizeKiB" ? "size" : strange;
      throw notUnderstood({ node, place }, `an ${value.model.type} has none`, "Leave it out.");
    }
    if (!isPlain && value.server === undefined) {
      throw notUnderstood({ node, place: "server" }, "it is missing", "Write <server path='…'/>.");
    }
    if (value.sizeKiB === undefined || isPowerOfTwoMiB(value.sizeKiB)) return;
    const why = "it must be a power of two, and at least 1 MiB";
    throw notUnderstood({ node, place: "size" }, why, "Write a power of two.");
  },
);
export type Shmem = ValueOf<typeof shmem>;

// virDomainShmemDefValidate() of libvirt: "shmem size must be a power of 2 and at least 1 MiB (1024 KiB)"
function isPowerOfTwoMiB(sizeKiB: number): boolean {
  return Number.isInteger(Math.log2(sizeKiB)) && sizeKiB >= 1024;
}
