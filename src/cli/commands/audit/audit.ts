import { type Audit, auditNode } from "../../../vm/audit/audit-node.ts";
import { type Command, JSON_OPTION, printJson } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { formatTable } from "../../output/table.ts";

const FINDINGS = 1;

/** `svirt audit` */
export const command: Command = {
  spec: {
    name: "audit",
    summary:
      "check the isolation of all guests: labels, open files, device nodes, leftovers and damaged files",
    details:
      "Reads the kernel's state and changes nothing. It is the only command that shows the leftovers of a killed svirt " +
      "instead of recovering first. The exit code is 1 if there are findings.",
    recovery: "none",
    operands: [],
    options: [JSON_OPTION],
  },
  async run(call) {
    const audit = await auditNode(call.instance);
    if (call.options.has("json")) printJson(call, audit);
    else call.output.print(formatAudit(audit));
    return audit.findings.length === 0 ? undefined : FINDINGS;
  },
};

function formatAudit(audit: Audit): string {
  const guests = audit.guests.map(({ label, name, pid, uid }) => [
    name,
    String(pid ?? "-"),
    String(uid),
    label ?? "-",
  ]);
  const files = audit.guests.flatMap(({ files: open, name }) =>
    open.map(({ fd, finding, label, path }) => [
      name,
      String(fd),
      label ?? "-",
      oneLine(path),
      finding ?? "ok",
    ]),
  );
  const devices = audit.devices.map(({ finding, guest, label, path }) => [
    oneLine(path),
    label ?? "-",
    guest ?? "-",
    finding ?? "ok",
  ]);
  return [
    `SELinux is ${audit.mode}\n\n`,
    formatTable(["Guest", "PID", "User", "Label"], guests),
    formatTable(["Guest", "FD", "Label", "File", "Finding"], files),
    formatTable(["Device", "Label", "Guest", "Finding"], devices),
    audit.findings.length === 0
      ? "No findings.\n"
      : `Findings: ${audit.findings.length}\n${audit.findings.map((finding) => `  - ${oneLine(finding)}\n`).join("")}`,
  ].join("");
}
