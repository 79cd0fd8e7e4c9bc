import { choice } from "../../xml/choice.ts";
import { checked, element, type ValueOf } from "../../xml/element.ts";
import { attribute, child, content, required } from "../../xml/field.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { integer, oneOf } from "../../xml/value-form.ts";
import { onPci } from "../forms/address.ts";
import { egdSource } from "../forms/source/chardev.ts";
import { absolutePath } from "../forms/text.ts";
import { virtioDriver, virtioModel } from "../forms/virtio-driver.ts";

const rate = element("rate", () => ({
  bytes: required(attribute("bytes", integer(1, 2 ** 31 - 1))),
  periodMs: attribute("period", integer(1, 2 ** 31 - 1)),
}));

const protocol = element("protocol", () => ({ type: required(attribute("type", oneOf("raw"))) }));

/** Attributes required by each type of EGD source; the others are refused. */
const NEEDED = { tcp: ["mode", "host", "service"], unix: ["mode", "path"], pipe: ["path"] } as const;

const backend = checked(
  choice("backend", {
    attribute: "model",
    of: () => ({
      random: { path: content(absolutePath) },
      builtin: {},
      egd: {
        type: required(attribute("type", oneOf("tcp", "unix", "pipe"))),
        source: required(child(egdSource)),
        protocol: child(protocol),
      },
    }),
  }),
  (value, node) => {
    if (value.model !== "egd") return;
    const needed: readonly string[] = NEEDED[value.type];
    const source = node.children.find(({ tag }) => tag === "source") ?? node;
    for (const name of ["mode", "path", "host", "service"]) {
      if (source.attributes.has(name) === needed.includes(name)) continue;
      const why = needed.includes(name) ? "it is missing" : `a ${value.type} has none`;
      throw notUnderstood({ node: source, place: `@${name}` }, why, "Correct the source.");
    }
  },
);
export type RngBackend = ValueOf<typeof backend>;

/** `<rng>`, https://libvirt.org/formatdomain.html#random-number-generator-device */
export const rng = element("rng", () => ({
  model: required(attribute("model", virtioModel)),
  rate: child(rate),
  backend: required(child(backend)),
  driver: virtioDriver,
  ...onPci,
}));
export type Rng = ValueOf<typeof rng>;
