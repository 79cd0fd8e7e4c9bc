import { element, type ValueOf } from "../../xml/element.ts";
import { attribute, child, required, textOf } from "../../xml/field.ts";
import { parseDocument } from "../../xml/parse-document.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { oneOf } from "../../xml/value-form.ts";
import { deviceName } from "../devices/network/source.ts";
import { objectName, uuid } from "../forms/text.ts";

/** `<network>` that is a bridge of the host, https://libvirt.org/formatnetwork.html#using-an-existing-host-bridge */
const grammar = element("network", () => ({
  name: required(textOf("name", objectName)),
  uuid: textOf("uuid", uuid),
  forward: required(
    child(element("forward", () => ({ mode: required(attribute("mode", oneOf("bridge"))) }))),
  ),
  bridge: required(child(element("bridge", () => ({ name: required(attribute("name", deviceName)) })))),
}));
export type BridgeNetwork = ValueOf<typeof grammar>;

/** Reads a network's document. Throws "xml" and "unsupported", with the place. */
export function parseBridgeNetwork(text: string): BridgeNetwork {
  const root = parseDocument(new TextEncoder().encode(text));
  if (root.tag === grammar.tag) return grammar.parse(root);
  throw notUnderstood({ node: root }, "it is not a <network>", "Write a network that is a bridge.");
}
