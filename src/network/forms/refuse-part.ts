import type { XmlNode } from "../../xml/node.ts";
import { notUnderstood } from "../../xml/refusal.ts";

/** Refuses a part of an element, with the place inside of it. */
export function refusePart(
  node: XmlNode,
  place: string,
  { why, remedy }: { readonly why: string; readonly remedy: string },
): never {
  throw notUnderstood({ node, place }, why, remedy);
}
