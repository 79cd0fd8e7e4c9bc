import { choice } from "../../xml/choice.ts";
import { checked, element, type ValueOf } from "../../xml/element.ts";
import { attribute, child, children, content, required, textOf } from "../../xml/field.ts";
import type { XmlNode } from "../../xml/node.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { integer, matching, oneOf, onOff } from "../../xml/value-form.ts";
import { word } from "../forms/text.ts";
import { numa } from "./numa.ts";

const fallback = attribute("fallback", oneOf("allow", "forbid"));
const vendorId = attribute(
  "vendor_id",
  matching(/^[!-+\--~ ]{12}$/, '12 characters without a comma, such as "GenuineIntel"'),
);
const model = element("model", () => ({ fallback, vendorId, name: required(content(word)) }));

/** `<model>` of mode host-model: the host's model itself is determined at each start. */
const hostModel = element("model", () => ({ fallback, vendorId }));

/** Sockets, cores and threads of a processor. */
export const topology = element("topology", () => ({
  sockets: required(attribute("sockets", integer(1, 4096))),
  dies: attribute("dies", integer(1, 4096)),
  clusters: attribute("clusters", integer(1, 4096)),
  cores: required(attribute("cores", integer(1, 4096))),
  threads: required(attribute("threads", integer(1, 4096))),
}));

const cache = element("cache", () => ({
  level: attribute("level", integer(1, 3)),
  mode: required(attribute("mode", oneOf("emulate", "passthrough", "disable"))),
}));

/** Bits of physical addresses. */
export const maxphysaddr = element("maxphysaddr", () => ({
  mode: required(attribute("mode", oneOf("emulate", "passthrough"))),
  bits: attribute("bits", integer(32, 64)),
  limit: attribute("limit", integer(32, 64)),
}));

const feature = element("feature", () => ({
  policy: attribute("policy", oneOf("force", "require", "optional", "disable", "forbid")),
  name: required(attribute("name", word)),
}));

const check = attribute("check", oneOf("none", "partial", "full"));
const migratable = attribute("migratable", onOff);
const inside = {
  topology: child(topology),
  cache: child(cache),
  maxphysaddr: child(maxphysaddr),
  features: children(feature),
  numa: child(numa),
};

const grammar = choice("cpu", {
  attribute: "mode",
  absent: "custom",
  of: () => ({
    custom: {
      match: attribute("match", oneOf("minimum", "exact", "strict")),
      check,
      model: child(model),
      vendor: textOf("vendor", word),
      ...inside,
    },
    "host-model": { check, model: child(hostModel), ...inside },
    "host-passthrough": { check, migratable, ...inside },
    maximum: { check, migratable, ...inside },
  }),
});

/** `<cpu>`; the default mode is custom, https://libvirt.org/formatdomain.html#cpu-model-and-topology */
export const cpu = checked(grammar, refuseContradictions);
export type Cpu = ValueOf<typeof grammar>;

// qemuValidateDomainDefCpu() of libvirt
function refuseContradictions(value: Cpu, node: XmlNode): void {
  const { cache: found, maxphysaddr: address, mode } = value;
  const names = value.features.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) < at);
  const isOther = mode === "custom" || mode === "host-model";
  const problems = [
    [found?.mode === "passthrough" && isOther, "cache/@mode", "the processor is not the host's"],
    [found !== undefined && !takesLevel(found), "cache/@level", "QEMU has no switch for that level"],
    [
      address?.mode === "passthrough" && address.bits !== undefined,
      "maxphysaddr/@bits",
      "mode='passthrough' takes the host's bits",
    ],
    [
      address?.mode === "emulate" && address.limit !== undefined,
      "maxphysaddr/@limit",
      "mode='emulate' has no limit",
    ],
    [twice !== undefined, "feature", `"${twice}" is listed twice`],
    [
      mode === "custom" && value.model === undefined && names.length > 0,
      "feature",
      "features require a model",
    ],
  ] as const;
  for (const [isWrong, place, problem] of problems) {
    if (isWrong) throw notUnderstood({ node, place }, problem, "Leave it out.");
  }
}

function takesLevel({ mode, level }: ValueOf<typeof cache>): boolean {
  switch (mode) {
    case "emulate":
      return level === 3;
    case "passthrough":
    case "disable":
      return level === undefined;
  }
}
