import { childrenOf, listBelow } from "../../../vm/snapshot/select-snapshots.ts";
import { type Command, DOMAIN_OPERAND, JSON_OPTION, printJson } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { formatFacts } from "../../output/table.ts";
import { yesNo } from "../../output/yes-no.ts";
import { CURRENT_OPTION, SNAPSHOT_OPERAND, snapshotOf } from "../../snapshot-options.ts";

/** `svirt snapshot-info DOMAIN SNAPSHOT` */
export const command: Command = {
  spec: {
    name: "snapshot-info",
    summary: "print facts about a snapshot",
    operands: [DOMAIN_OPERAND, SNAPSHOT_OPERAND],
    options: [CURRENT_OPTION, JSON_OPTION],
  },
  run(call) {
    const { domain, snapshot, tree } = snapshotOf(call);
    const { isExternal, name, parent, state } = snapshot;
    const [children, descendants] = [childrenOf(tree, name).length, listBelow(tree, name).length];
    const [isCurrent, location] = [tree.current === name, isExternal ? "external" : "internal"];
    if (call.options.has("json")) {
      const facts = { name, domain: domain.name, current: isCurrent, state, location, parent };
      printJson(call, { ...facts, children, descendants, metadata: true });
      return Promise.resolve(undefined);
    }
    call.output.print(
      formatFacts([
        ["Name", oneLine(name)],
        ["Domain", oneLine(domain.name)],
        ["Current", yesNo(isCurrent)],
        ["State", state],
        ["Location", location],
        ["Parent", oneLine(parent ?? "-")],
        ["Children", String(children)],
        ["Descendants", String(descendants)],
        ["Metadata", "yes"],
      ]),
    );
    return Promise.resolve(undefined);
  },
};
