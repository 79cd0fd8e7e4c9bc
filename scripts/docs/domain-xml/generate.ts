import { formatFirstPage } from "./first-page.ts";
import { formatPage } from "./page.ts";
import { listSections } from "./sections.ts";

/** Returns the pages of docs/domain-xml/, by path in the project. */
export function generateDomainXml(): ReadonlyMap<string, string> {
  const pages = Map.groupBy(listSections(), ({ page }) => page);
  return new Map([
    ["docs/domain-xml/README.md", formatFirstPage()],
    ...[...pages].map(([page, sections]) => [fileOf(page), formatPage(page, sections)] as const),
  ]);
}

function fileOf(page: string): string {
  return `docs/domain-xml/${page === "devices" ? "devices/README" : page}.md`;
}
