import { choice } from "../../xml/choice.ts";
import { checked, element, refused, type ValueOf } from "../../xml/element.ts";
import { attribute, child, flag, required, textOf } from "../../xml/field.ts";
import type { XmlNode } from "../../xml/node.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { integer, oneOf, type ValueForm, yesNo } from "../../xml/value-form.ts";
import { onPci } from "../forms/address.ts";
import { alias } from "../forms/alias.ts";
import { hostNodes } from "../forms/id-set.ts";
import { sizeInKiB } from "../forms/memory-size.ts";
import { absolutePath } from "../forms/text.ts";
import { memoryAccess } from "../machine/memory-backing.ts";

/** Address in the guest's memory: larger than hexadecimal() accepts. */
const guestAddress: ValueForm<number> = {
  expects: "a number from 0x0 to 0xfffffffffffff",
  decode: (text) => (/^0x[0-9a-f]{1,13}$/i.test(text) ? Number(text) : undefined),
  encode: (value) => `0x${value.toString(16)}`,
};

/** Page sizes of x86_64: the base page in bytes, the huge page in KiB. */
const [PAGE_BYTES, HUGE_PAGE_KIB] = [4096, 2048];

const node = textOf("node", integer(0, 127));
const size = required(sizeInKiB("size"));
const hostMemory = child(
  element("source", () => ({ nodemask: textOf("nodemask", hostNodes), pagesizeKiB: sizeInKiB("pagesize") })),
);
const discard = attribute("discard", yesNo);
const common = { access: attribute("access", memoryAccess), discard };
const dimmAddress = choice("address", {
  attribute: "type",
  of: () => ({ dimm: { slot: attribute("slot", integer(0, 255)), base: attribute("base", guestAddress) } }),
});
const inSlot = { alias, address: child(dimmAddress) };
const base = child(element("address", () => ({ base: required(attribute("base", guestAddress)) })));
const nvdimmSource = element("source", () => ({
  path: required(textOf("path", absolutePath)),
  alignsizeKiB: sizeInKiB("alignsize"),
  pmem: flag("pmem"),
}));

const grammar = choice("memory", {
  attribute: "model",
  of: () => ({
    dimm: {
      ...common,
      source: hostMemory,
      target: required(child(element("target", () => ({ sizeKiB: size, node })))),
      ...inSlot,
    },
    nvdimm: {
      ...common,
      source: required(child(nvdimmSource)),
      target: required(
        child(
          element("target", () => ({
            sizeKiB: size,
            node,
            label: child(element("label", () => ({ sizeKiB: required(sizeInKiB("size")) }))),
            readonly: flag("readonly"),
          })),
        ),
      ),
      ...inSlot,
    },
    "virtio-mem": {
      ...common,
      source: hostMemory,
      target: required(
        child(
          element("target", () => ({
            dynamicMemslots: attribute("dynamicMemslots", yesNo),
            sizeKiB: size,
            node,
            blockKiB: required(sizeInKiB("block")),
            requestedKiB: required(sizeInKiB("requested", { least: 0 })),
            base,
          })),
        ),
      ),
      ...onPci,
    },
    "virtio-pmem": {
      access: required(attribute("access", oneOf("shared"))),
      discard,
      source: required(child(element("source", () => ({ path: required(textOf("path", absolutePath)) })))),
      target: required(child(element("target", () => ({ sizeKiB: size, base })))),
      ...onPci,
    },
    "sgx-epc": {
      ...common,
      source: child(element("source", () => ({ nodemask: textOf("nodemask", hostNodes) }))),
      target: required(child(element("target", () => ({ sizeKiB: size, node })))),
      alias,
    },
  }),
  exceptions: [refused("uuid", "it is for another processor")],
});

/** `<memory>` of `<devices>`, https://libvirt.org/formatdomain.html#memory-devices */
export const memoryDevice = checked(grammar, refuseContradiction);
export type MemoryDevice = ValueOf<typeof grammar>;

function refuseLabel(value: MemoryDevice, node: XmlNode): void {
  if (value.model !== "nvdimm" || value.target.label === undefined) return;
  const label = value.target.label.sizeKiB;
  const at = { node, place: "target/label/size" };
  if (label < 128) throw notUnderstood(at, "a label has at least 128 KiB", "Write more.");
  if (label >= value.target.sizeKiB) throw notUnderstood(at, "it leaves no room for data", "Write less.");
}

// virDomainMemoryDefValidate() and virDomainMemoryDefPostParse() of libvirt
function refuseContradiction(value: MemoryDevice, node: XmlNode): void {
  refuseLabel(value, node);
  if (value.model === "virtio-mem") refuseSizes(value, node);
  if (value.model === "virtio-pmem") refuseUnaligned(value.target.base, PAGE_BYTES, node);
  if ((value.model === "nvdimm" || value.model === "virtio-pmem") && value.discard === true) {
    throw notUnderstood({ node, place: "@discard" }, "the contents of its file are kept", "Leave it out.");
  }
  if (value.model === "nvdimm" && value.target.readonly && value.target.label !== undefined) {
    throw notUnderstood(
      { node, place: "target/readonly" },
      "the label is written to",
      "Leave <readonly> or <label> out of <target>.",
    );
  }
}

function refuseSizes(value: Extract<MemoryDevice, { readonly model: "virtio-mem" }>, node: XmlNode): void {
  const { sizeKiB, blockKiB, requestedKiB, base } = value.target;
  const refuse = (place: string, problem: string): Error =>
    notUnderstood({ node, place: `target/${place}` }, problem, "Write another size.");
  if (!Number.isInteger(Math.log2(blockKiB))) throw refuse("block", "it must be a power of two");
  if (blockKiB < HUGE_PAGE_KIB) throw refuse("block", "it is less than a huge page of 2 MiB");
  if (requestedKiB > sizeKiB) throw refuse("requested", "it is more than <size>");
  if (requestedKiB % blockKiB !== 0) throw refuse("requested", "it must be a multiple of <block>");
  if (sizeKiB % blockKiB !== 0) throw refuse("size", "it must be a multiple of <block>");
  refuseUnaligned(base, blockKiB * 1024, node);
}

function refuseUnaligned(at: { readonly base: number } | undefined, bytes: number, node: XmlNode): void {
  if ((at?.base ?? 0) % bytes === 0) return;
  const place = { node, place: "target/address/@base" };
  throw notUnderstood(place, `it must be a multiple of ${bytes} bytes`, "Write another base.");
}
