import { SvirtError } from "../../../errors.ts";
import { formatAgentAnswer } from "../../../qemu/agent/answer.ts";
import { sendAgentCommand } from "../../../vm/agent/agent-command.ts";
import { parseMonitorMessage, sendMonitorCommand } from "../../../vm/lifecycle/monitor-command.ts";
import { unencodable } from "../../xdr/bytes.ts";
import { int, optional, struct, uint } from "../../xdr/form.ts";
import { aboutDomain, aNumber, aText, domain, keyOf, maybeText, STRING_MAX, text } from "../objects.ts";
import { invalidArgument, type Procedure, procedure } from "../procedure.ts";

/** VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP of libvirt's libvirt-qemu.h */
const HMP = 1;
/** virDomainQemuAgentCommandTimeoutValues of libvirt's libvirt-qemu.h; others are seconds. */
const TIMEOUT = { block: -2, default: -1 };

/**
 * Procedures of libvirt's program for QEMU, which a connection for reading may not call. qemu_protocol.x of
 * libvirt
 */
export const qemuCommandProcedures: readonly Procedure[] = [
  procedure({
    ...aboutDomain(1, "virDomainQemuMonitorCommand"),
    args: struct({ dom: domain, command: text, flags: uint }),
    flags: { known: HMP, refusedBy: "qemuDomainQemuMonitorCommandWithFiles" },
    result: aText,
    async run(call) {
      const { command, flags } = call.args;
      if ((flags & HMP) === 0) {
        const answer = await sendMonitorCommand(call.instance, keyOf(call), parseMonitorMessage(command));
        return { value: JSON.stringify({ return: answer }) };
      }
      const message = { execute: "human-monitor-command", arguments: { "command-line": command } };
      return { value: String(await sendMonitorCommand(call.instance, keyOf(call), message)) };
    },
  }),
  procedure({
    ...aboutDomain(3, "virDomainQemuAgentCommand"),
    args: struct({ dom: domain, command: text, timeout: int, flags: uint }),
    flags: { known: 0, refusedBy: "qemuDomainQemuAgentCommand" },
    result: struct({ value: maybeText }),
    async run(call) {
      const { command, timeout } = call.args;
      const options = { command, timeoutMs: timeoutOf(timeout) };
      const said = await sendAgentCommand(call.instance, keyOf(call), options);
      if (said === undefined) return { value: undefined };
      // No reply may be longer: it is not even made into a text.
      if (said.line.bytes > STRING_MAX) throw unencodable();
      const decoder = new TextDecoder();
      const pieces = [...formatAgentAnswer(said.line, said.name, undefined)];
      return { value: pieces.map((piece) => decoder.decode(piece, { stream: true })).join("") };
    },
  }),
  procedure({
    number: 4,
    api: "virConnectDomainQemuMonitorEventRegister",
    args: struct({ dom: optional(domain), event: maybeText, flags: uint }),
    flags: { known: 3, refusedBy: "qemuConnectDomainQemuMonitorEventRegister" },
    result: aNumber,
    run() {
      // virReportUnsupportedError() of libvirt
      throw new SvirtError(
        "this function is not supported by the connection driver: virConnectDomainQemuMonitorEventRegister",
        {
          kind: "unsupported",
          libvirt: "NO_SUPPORT",
          from: "DOMAIN",
          remedy: "Register for events of domains: virsh event --all",
        },
      );
    },
  }),
];

/** Returns the time to wait in milliseconds; undefined: svirt's own. qemuAgentCommand() of libvirt */
function timeoutOf(seconds: number): number | undefined {
  if (seconds === TIMEOUT.block) return Number.POSITIVE_INFINITY;
  if (seconds === TIMEOUT.default) return undefined;
  if (seconds >= 0) return 1000 * seconds;
  throw invalidArgument(
    `guest agent timeout '${seconds}' is less than the minimum '${TIMEOUT.block}'`,
    "Give seconds.",
  );
}
