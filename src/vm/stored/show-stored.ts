import type { StoredXml } from "../../state/xml-store.ts";

/** XML of an object. */
export interface ShownXml {
  readonly name: string;
  readonly uuid: string;
  /** Whether the XML is that of an active object. */
  readonly isLive: boolean;
  /** Without a line break at its end. */
  readonly xml: string;
}

/** Returns the XML of an object as it is active or as it is defined, or in the form that it has. */
export async function showStored(
  { active, defined, name, uuid }: StoredXml,
  form: "active" | "defined",
  formatLive: (active: string) => Promise<string> | string,
): Promise<ShownXml> {
  const isLive = active !== undefined && (form === "active" || defined === undefined);
  const xml = isLive ? await formatLive(active) : (defined ?? "");
  return { name, uuid, isLive, xml: xml.trimEnd() };
}
