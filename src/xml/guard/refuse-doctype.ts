import { faultAt } from "../position.ts";

// Rule: A DOCTYPE is refused.

/** Checks a CDATA section, and refuses a DOCTYPE and other declarations. XML 1.0, 2.7. Throws "xml". */
export function passCdata(text: string, from: number): number {
  if (!text.startsWith("<![CDATA[", from))
    throw faultAt(text, from, "a DOCTYPE or another <!…> declaration is not supported");
  const end = text.indexOf("]]>", from + 9);
  if (end === -1) throw faultAt(text, from, "the CDATA section has no end");
  return end + 3;
}
