import { choice } from "../xml/choice.ts";
import { element, type ValueOf } from "../xml/element.ts";
import { attribute, child, children, content, required } from "../xml/field.ts";
import { integer, oneOf, onOff } from "../xml/value-form.ts";
import { numa } from "./numa.ts";
import { word } from "./words.ts";

const model = element("model", {
  fallback: attribute("fallback", oneOf("allow", "forbid")),
  name: required(content(word)),
});

const topology = element("topology", {
  sockets: required(attribute("sockets", integer(1, 4096))),
  dies: attribute("dies", integer(1, 4096)),
  clusters: attribute("clusters", integer(1, 4096)),
  cores: required(attribute("cores", integer(1, 4096))),
  threads: required(attribute("threads", integer(1, 4096))),
});

const feature = element("feature", {
  policy: attribute("policy", oneOf("force", "require", "disable")),
  name: required(attribute("name", word)),
});

const check = attribute("check", oneOf("none", "partial", "full"));
const migratable = attribute("migratable", onOff);
const inside = { topology: child(topology), features: children(feature), numa: child(numa) };

/** `<cpu>`; without a mode it is a custom one, https://libvirt.org/formatdomain.html#cpu-model-and-topology */
export const cpu = choice("cpu", {
  attribute: "mode",
  absent: "custom",
  of: {
    custom: { match: attribute("match", oneOf("exact")), check, model: child(model), ...inside },
    "host-passthrough": { check, migratable, ...inside },
    maximum: { check, migratable, ...inside },
  },
  refused: { "host-model": "svirt does not compute a model from the host's processor yet" },
});
export type Cpu = ValueOf<typeof cpu>;
