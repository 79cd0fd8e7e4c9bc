import { readFileSync } from "node:fs";
import { listAnchors } from "../../test/style/markdown-links.ts";

/** Pages of docs/decisions, in the order of the index. */
const PAGES: ReadonlyMap<string, string> = new Map([
  ["files.md", "files and descriptors"],
  ["labels.md", "labels and SELinux"],
  ["shared-storage.md", "storage that several machines see"],
  ["shared-folders.md", "shared folders"],
  ["host-devices.md", "devices of the host"],
  ["processes.md", "processes and limits"],
  ["state.md", "state"],
  ["xml.md", "XML and its translation"],
  ["sockets.md", "sockets, pipes and consoles"],
  ["network.md", "networks and displays"],
  ["storage.md", "storage pools"],
  ["hotplug.md", "hot-plug and release"],
  ["block-jobs.md", "images of running guests"],
  ["monitor.md", "talking to QEMU"],
  ["cli.md", "commands and access"],
  ["clients.md", "clients of libvirt"],
  ["session.md", "an ordinary user's own instance"],
  ["code.md", "the source"],
]);

/** Formats docs/decisions/README.md: the decisions of each page, as a list of links. */
export function formatDecisions(): string {
  const sections = [...PAGES].map(([file, subject]) => {
    const page = readFileSync(new URL(`../../docs/decisions/${file}`, import.meta.url), "utf8");
    const titles = [...page.matchAll(/^## (.+)$/gm)].map(([, title = ""]) => title);
    const links = titles.map((title) => `- [${title}](${file}#${anchorOf(title)})`);
    return [`## [${subject}](${file})`, "", ...links, ""].join("\n");
  });
  return ["# Decisions", "", INTRODUCTION, "", ...sections].join("\n");
}

const INTRODUCTION = `Decisions made while building svirt, each with its reason. Made by \`bun scripts/write-docs.ts\` from the
headings of the pages; do not edit. Those of the first design are not repeated.`;

/** Returns the anchor of a heading, as GitHub computes it. */
function anchorOf(title: string): string {
  return [...listAnchors(`# ${title}\n`)][0] ?? "";
}
