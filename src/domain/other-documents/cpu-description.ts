import { SvirtError } from "../../errors.ts";
import { checked, element, type ValueOf } from "../../xml/element.ts";
import { attribute, child, children, required, textOf } from "../../xml/field.ts";
import type { XmlNode } from "../../xml/node.ts";
import { parseDocument } from "../../xml/parse-document.ts";
import { readWhole } from "../../xml/read-whole.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { integer, matching, oneOf, yesNo } from "../../xml/value-form.ts";
import { word } from "../forms/text.ts";
import { cpu, maxphysaddr, topology } from "../machine/cpu.ts";

/** Processor described by a client: a host's or a guest's. */
export interface CpuDescription {
  /** Architecture; undefined for a guest's processor: its domain has the architecture. */
  readonly arch?: string;
  readonly model?: string;
  readonly vendor?: string;
  /** Whether a processor with more features does not match. */
  readonly isStrict: boolean;
  readonly features: readonly { readonly name: string; readonly policy: FeaturePolicy }[];
}

/** virCPUFeaturePolicy of libvirt */
type FeaturePolicy = "force" | "require" | "optional" | "disable" | "forbid";

const MOST_32_BIT = 0xff_ff_ff_ff;
const number32 = integer(0, MOST_32_BIT);

/** `<cpu>` of a host's capabilities. virCPUDefParseXML() of libvirt, VIR_CPU_TYPE_HOST */
const plainHostCpu = element("cpu", () => ({
  arch: required(textOf("arch", word)),
  model: required(textOf("model", word), "it has no model"),
  vendor: textOf("vendor", word),
  microcode: child(element("microcode", () => ({ version: required(attribute("version", number32)) }))),
  signature: child(
    element("signature", () => ({
      family: required(attribute("family", number32)),
      model: required(attribute("model", number32)),
      stepping: required(attribute("stepping", number32)),
    })),
  ),
  counter: child(
    element("counter", () => ({
      name: required(attribute("name", oneOf("tsc"))),
      frequency: required(attribute("frequency", matching(/^\d{1,20}$/, "a number of Hz"))),
      scaling: attribute("scaling", yesNo),
    })),
  ),
  topology: child(topology),
  maxphysaddr: child(maxphysaddr),
  features: children(element("feature", () => ({ name: required(attribute("name", word)) }))),
  pages: children(
    element("pages", () => ({
      unit: required(attribute("unit", oneOf("KiB"))),
      size: required(attribute("size", number32)),
    })),
  ),
}));

/** `<cpu>` of a host's capabilities, with each feature listed once. */
const hostCpu = checked(plainHostCpu, ({ features }, node) => {
  const names = new Set<string>();
  for (const { name } of features) {
    if (names.has(name))
      throw notUnderstood({ node, place: "feature" }, `"${name}" is listed twice`, "Leave it out.");
    names.add(name);
  }
});

/** Maximum bytes of descriptions that are read together: 400 of a processor with all features. */
const MOST_BYTES_TOGETHER = 4 << 20;

/** Throws "xml" for documents too large together. */
export function refuseTooLong(documents: readonly Uint8Array[]): void {
  if (documents.reduce((sum, { length }) => sum + length, 0) <= MOST_BYTES_TOGETHER) return;
  throw new SvirtError(
    `Cannot read the processors: they have more than ${MOST_BYTES_TOGETHER} bytes, the most that they may have together`,
    { kind: "xml", remedy: "Describe fewer processors, or only their models and features." },
  );
}

/** Reads a document with a `<cpu>`, as readCpuDescription() does. */
export function parseCpuDescription(bytes: Uint8Array): CpuDescription {
  const root = parseDocument(bytes);
  if (root.tag === plainHostCpu.tag) return readCpuDescription(root);
  throw notUnderstood({ node: root }, "it is not a <cpu>", "Give svirt the description of a processor.");
}

/**
 * Reads a `<cpu>`: with `<arch>` a host's, otherwise a guest's. Throws "xml" and "unsupported" with all
 * refusals. virCPUDefParseXML() of libvirt, VIR_CPU_TYPE_AUTO
 */
export function readCpuDescription(root: XmlNode): CpuDescription {
  if (root.children.some(({ tag }) => tag === "arch")) return describeHost(readWhole(hostCpu, root));
  const guest = readWhole(cpu, root);
  const { features } = guest;
  const all = features.map(({ name, policy = "require" }) => ({ name, policy }));
  if (guest.mode !== "custom") return { isStrict: false, features: all };
  const { match, model, vendor } = guest;
  return {
    ...(model === undefined ? {} : { model: model.name }),
    ...(vendor === undefined ? {} : { vendor }),
    isStrict: match === "strict",
    features: all,
  };
}

function describeHost({ arch, features, model, vendor }: ValueOf<typeof plainHostCpu>): CpuDescription {
  return {
    arch,
    model,
    ...(vendor === undefined ? {} : { vendor }),
    isStrict: false,
    features: features.map(({ name }) => ({ name, policy: "require" })),
  };
}
