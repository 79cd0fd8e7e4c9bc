import { SvirtError } from "../../../errors.ts";
import { carryOut, planOnly } from "../../../vm/object-change/carry-out.ts";
import { findSnapshots, snapshotIn } from "../../../vm/snapshot/find-snapshot.ts";
import { newCurrent } from "../../../vm/snapshot/make-current.ts";
import { type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

/** `svirt snapshot-current DOMAIN [SNAPSHOT]` */
export const command: Command = {
  spec: {
    name: "snapshot-current",
    summary: "print the XML of a domain's current snapshot, or make another current",
    details:
      "The domain's images were last changed after the current snapshot. It is the parent of the next snapshot.",
    operands: [
      DOMAIN_OPERAND,
      { name: "snapshotname", summary: "name of the new current snapshot", isOptional: true },
    ],
    options: [
      { name: "name", summary: "print its name only" },
      { name: "security-info", summary: "include passwords; svirt stores none" },
      JSON_OPTION,
    ],
  },
  async plan(call) {
    const wanted = call.operands.get("snapshotname");
    if (wanted === undefined) return undefined;
    return await planOnly(call.instance, newCurrent(operand(call, "domain"), wanted));
  },
  async run(call) {
    const domain = operand(call, "domain");
    const wanted = call.operands.get("snapshotname");
    if (wanted !== undefined) {
      await carryOut(call.instance, newCurrent(domain, wanted));
      call.output.print(`Snapshot ${oneLine(wanted)} set as current\n`);
      return undefined;
    }
    const { domain: found, tree } = findSnapshots(call.instance, domain);
    if (tree.current === undefined) throw hasNone(found.name);
    const { name, xml } = snapshotIn(tree, tree.current);
    if (call.options.has("json")) printJson(call, { name, xml });
    else call.output.print(call.options.has("name") ? `${oneLine(name)}\n` : `${xml}\n`);
    return undefined;
  },
};

function hasNone(name: string): SvirtError {
  return new SvirtError(`domain '${name}' has no current snapshot`, {
    kind: "not-found",
    remedy: `Take a snapshot: svirt snapshot-create-as ${name} --disk-only`,
  });
}
