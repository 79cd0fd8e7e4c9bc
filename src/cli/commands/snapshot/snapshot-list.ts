import { SvirtError } from "../../../errors.ts";
import type { StoredSnapshot } from "../../../state/snapshots/snapshots.ts";
import { type SnapshotFilter, selectSnapshots } from "../../../vm/snapshot/select-snapshots.ts";
import { refuseBoth } from "../../block-job.ts";
import { type Call, type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";
import { formatTime } from "../../output/local-time.ts";
import { oneLine } from "../../output/one-line.ts";
import { formatTable } from "../../output/table.ts";
import { formatTree } from "../../output/tree.ts";
import { maybeSnapshotOf } from "../../snapshot-options.ts";

/** Filters by virsh's options. */
const FILTERS: readonly (readonly [option: string, filter: keyof SnapshotFilter, summary: string])[] = [
  ["roots", "roots", "only snapshots without a parent"],
  ["leaves", "leaves", "only snapshots without children"],
  ["no-leaves", "noLeaves", "only snapshots with children"],
  ["metadata", "metadata", "only snapshots with data stored by svirt: all"],
  ["no-metadata", "noMetadata", "only snapshots without such data: none"],
  ["inactive", "inactive", "only snapshots of a domain that was off"],
  ["active", "active", "only snapshots with a guest's memory"],
  ["disk-only", "diskOnly", "only snapshots of a running guest's disks"],
  ["internal", "internal", "only snapshots inside images"],
  ["external", "external", "only snapshots in files of their own"],
];

/** `svirt snapshot-list DOMAIN` */
export const command: Command = {
  spec: {
    name: "snapshot-list",
    summary: "list the snapshots of a domain",
    details: "With --json: name, parent, state, creation time in seconds since 1970, and location.",
    operands: [DOMAIN_OPERAND],
    options: [
      { name: "parent", summary: "add a column with each snapshot's parent" },
      ...FILTERS.map(([name, , summary]) => ({ name, summary })),
      { name: "tree", summary: "print the snapshots as a tree" },
      { name: "from", value: "snapshot", summary: "only the children of this snapshot" },
      { name: "current", summary: "only the children of the current snapshot" },
      { name: "descendants", summary: "with --from or --current, also snapshots below the children" },
      { name: "name", summary: "names only, a line each" },
      { name: "topological", summary: "each snapshot after its parent, rather than by name" },
      JSON_OPTION,
    ],
  },
  run(call) {
    refuseConflicts(call);
    const { options, output } = call;
    const from = maybeSnapshotOf(call, options.get("from"), "from")?.snapshot;
    const isTree = options.has("tree");
    const filter = Object.fromEntries(FILTERS.map(([option, name]) => [name, options.has(option)]));
    const descendants = options.has("descendants") || isTree;
    const found = selectSnapshots(call.instance, operand(call, "domain"), {
      from: from?.name,
      filter: { ...filter, descendants },
    });
    const all = options.has("topological") ? found : [...found].sort(byName);
    if (options.has("json")) printJson(call, all.map(toJson));
    else if (isTree) output.print(`${formatTree(from === undefined ? all : [rootOf(from), ...all])}\n`);
    else if (options.has("name")) output.print(`${all.map(({ name }) => `${oneLine(name)}\n`).join("")}\n`);
    else output.print(formatSnapshots(all, options.has("parent")));
    return Promise.resolve(undefined);
  },
};

function refuseConflicts(call: Call): void {
  refuseBoth(call, "tree", "name");
  for (const other of ["roots", "tree"]) refuseBoth(call, "parent", other);
  for (const other of ["tree", "from", "current"]) refuseBoth(call, "roots", other);
  for (const [option] of FILTERS) if (!/metadata|roots/.test(option)) refuseBoth(call, option, "tree");
  const { options } = call;
  if (!options.has("descendants") || options.has("from") || options.has("current")) return;
  throw new SvirtError("--descendants requires either --from or --current", {
    kind: "usage",
    remedy: "Name the snapshot: --from NAME",
  });
}

/** vshStrcasecmp() of libvirt */
function byName(one: StoredSnapshot, other: StoredSnapshot): number {
  const [a, b] = [one.name.toLowerCase(), other.name.toLowerCase()];
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function rootOf({ name }: StoredSnapshot): { readonly name: string } {
  return { name };
}

function formatSnapshots(all: readonly StoredSnapshot[], hasParents: boolean): string {
  const header = ["Name", "Creation Time", "State", ...(hasParents ? ["Parent"] : [])];
  const rows = all.map(({ createdAt, name, parent = "", state }) => [
    oneLine(name),
    formatTime(createdAt),
    state,
    ...(hasParents ? [oneLine(parent)] : []),
  ]);
  return formatTable(header, rows);
}

function toJson({ createdAt, isExternal, name, parent, state }: StoredSnapshot) {
  return { name, parent, state, creationTime: createdAt, location: isExternal ? "external" : "internal" };
}
