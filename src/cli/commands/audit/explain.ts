import type { Explanation, NamedGuest } from "../../../vm/explain/explain.ts";
import { explainLogs, type Since } from "../../../vm/explain/explain-logs.ts";
import type { HeldGuest } from "../../../vm/explain/held-guests.ts";
import { parseSince } from "../../arguments/since.ts";
import { type Call, type Command, DOMAIN_OPERAND, JSON_OPTION, printJson } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { formatFacts } from "../../output/table.ts";

/** `svirt explain [DOMAIN]` */
export const command: Command = {
  spec: {
    name: "explain",
    summary: "explain SELinux denials: the guest, the resource, the missing permission and the remedy",
    details:
      "Reads the kernel's log and, if auditd runs, /var/log/audit/audit.log, since the boot. A repeated denial is " +
      "printed once, with its count; the latest is last. It covers guests, svirt itself, and other programs that accessed a " +
      "guest's resources. A guest that has ended is found by the categories of its UUID. Names in the log are chosen by the " +
      "denied process: they are shown, never trusted. Without --file, explain also lists guests that still hold resources " +
      "that they should have released.",
    recovery: "none",
    operands: [{ ...DOMAIN_OPERAND, isOptional: true }],
    options: [
      {
        name: "file",
        value: "FILE",
        summary: "read dmesg or audit.log lines from a file; - for standard input",
      },
      {
        name: "since",
        value: "TIME",
        summary: "only denials since this time: 10m, 2h, 3d ago, or a date",
      },
      {
        name: "all",
        summary: "also denials before the boot, and of programs unrelated to guests",
      },
      JSON_OPTION,
    ],
  },
  async run(call) {
    const { denials, held } = explainLogs(call.instance, {
      file: call.options.get("file"),
      key: call.operands.get("domain"),
      isAll: call.options.has("all"),
      since: sinceOf(call),
      onCut: (most) => call.output.warn(`warning: only the latest ${most} denials are shown\n`),
    });
    if (call.options.has("json")) printJson(call, [...denials.map(asJson), ...held]);
    else call.output.print(formatAll(denials, held));
    return undefined;
  },
};

function formatAll(denials: readonly Explanation[], held: readonly HeldGuest[]): string {
  const first = denials.length === 0 ? "No denials.\n" : denials.map(formatExplanation).join("");
  return first + held.map(formatHeld).join("");
}

function formatHeld({ change, guest, held, reason, remedy }: HeldGuest): string {
  return formatFacts([
    ["Guest", nameOf(guest)],
    ["Told to", oneLine(change)],
    ...held.map((line) => ["Held", oneLine(line)] as const),
    ["Reason", oneLine(reason)],
    ["Remedy", oneLine(remedy)],
  ]);
}

function sinceOf({ options }: Call): Since {
  const since = options.get("since");
  if (since !== undefined) return parseSince(since);
  return options.has("all") || options.has("file") ? "ever" : "boot";
}

/** Formats times as in ISO 8601. */
function asJson({ firstMs, lastMs, ...found }: Explanation): object {
  return { ...found, first: isoTime(firstMs), last: isoTime(lastMs) };
}

function formatExplanation(found: Explanation): string {
  const { command = "a program", count, lastMs, pid } = found;
  return formatFacts([
    ["Guest", found.guest === undefined ? whoElse(found) : nameOf(found.guest)],
    ["Denied", `${found.denied}${found.isEnforced ? "" : " (only logged: SELinux was permissive)"}`],
    ["Object", oneLine(found.object)],
    ["Belongs to", found.owner === undefined ? undefined : nameOf(found.owner)],
    ["Contexts", `${found.source} -> ${found.target}`],
    ["Count", `${count}, last at ${isoTime(lastMs)} by ${oneLine(command)} (PID ${pid ?? "?"})`],
    ["Reason", oneLine(found.reason)],
    ["Rule", found.rule ?? "none, no rule helps or should be added"],
    ["Remedy", oneLine(found.remedy)],
  ]);
}

function whoElse({ source, subject }: Explanation): string {
  if (subject === "guest") return "unknown, its level belongs to no guest of this machine";
  if (subject === "probe") return "none, an emulator that svirt asks for its capabilities";
  return subject === "svirt" ? "none, svirt itself" : `none, a program in ${source}`;
}

function nameOf({ name, state, uuid }: NamedGuest): string {
  return oneLine(`${name} (${uuid ?? "no UUID"}, ${state})`);
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
