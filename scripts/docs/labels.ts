import type { RoleRow } from "../../src/label/role.ts";
import { LABEL_ROLES } from "../../src/label/roles.ts";

/** Formats docs/labels.md: the table of roles of src/label/roles.ts. */
export function formatLabels(): string {
  const rows = Object.entries(LABEL_ROLES).flatMap(([kind, uses]) =>
    Object.entries<RoleRow>(uses).map(([use, row]) =>
      formatRow([kind, use, row.role, code(row.xml), code(row.reason)]),
    ),
  );
  return [HEAD, formatRow(COLUMNS), formatRow(COLUMNS.map(() => "---")), ...rows, ""].join("\n");
}

const COLUMNS = ["resource", "use", "role", "named by", "reason"];

const HEAD = `<!-- Written by scripts/write-docs.ts from src/label/roles.ts. -->

# What is labelled, and how

Each file, device node and socket that a guest uses has a role. The role decides its label, and whether another guest may
use it at the same time. [src/label/roles.ts](../src/label/roles.ts) holds this table; a start, \`attach-device\` and block
jobs decide labels only by it. A volume that \`vol-create\` creates has the label that the policy's file_contexts have for its path, or
the one that its XML names, until a guest uses it.

| role | label | another guest at the same time |
| --- | --- | --- |
| private | \`svirt_image_t\` with the guest's categories | no |
| folder | \`svirt_folder_t\` with the guest's categories, and everything below it | no |
| shared | \`svirt_image_t:s0\` | yes |
| content | \`virt_content_t:s0\` | yes, all of them only read it |
| host | keeps its own | yes |
| refused | none: the guest is not started | |

The types are those of the policy's \`virtual_image_context\`. A \`<seclabel>\` of a source, or \`relabel='no'\`, overrides the
role. When the last guest that uses a file has ended, the file gets back the label that it had before.
`;

function formatRow(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

/** Formats elements as code, the words between them as text. */
function code(text: string): string {
  return text.replaceAll(/(?:<[^>]*>)+/g, (found) => `\`${found}\``);
}
