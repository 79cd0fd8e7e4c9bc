import { SvirtError } from "../../../errors.ts";
import { CODESETS, qcodeIn } from "../../../qemu/monitor/key-code-sets.ts";
import { qcodeOf } from "../../../qemu/monitor/key-codes.ts";
import { pressKeys } from "../../../vm/lifecycle/ask-guest.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";

const MOST_MS = 60_000;

/** `svirt send-key DOMAIN KEY...` */
export const command: Command = {
  spec: {
    name: "send-key",
    summary: "press keys on a running guest's keyboard, all together",
    details:
      "Keys have Linux's names (KEY_LEFTCTRL KEY_LEFTALT KEY_DELETE) or numbers. In another code set they have numbers: 30, 0x1e.",
    operands: [DOMAIN_OPERAND, { name: "keycode", summary: "KEY_A or 30", isRepeated: true }],
    options: [
      { name: "codeset", summary: `${CODESETS.join(", ")}; the default is linux`, value: "CODESET" },
      { name: "holdtime", summary: "time to hold the keys", value: "MS" },
    ],
  },
  async run(call) {
    const wanted = call.options.get("codeset") ?? "linux";
    const codeset = CODESETS.find((known) => known === wanted);
    if (codeset === undefined)
      throw usage(`unknown codeset: '${wanted}'`, `Use one of ${CODESETS.join(", ")}.`);
    const qcodes = call.rest.map((word) => {
      const code = /^(?:\d{1,5}|0x[0-9a-f]{1,4})$/i.test(word) ? Number(word) : undefined;
      const named = codeset === "linux" ? qcodeOf(word) : undefined;
      const qcode = code === undefined ? named : qcodeIn(codeset, code);
      if (qcode === undefined) throw usage(`invalid keycode: '${word}'`, "Use names such as KEY_ENTER.");
      return qcode;
    });
    const holdMs = readHoldTime(call.options.get("holdtime"));
    await pressKeys(call.instance, operand(call, "domain"), { qcodes, holdMs });
    call.output.print("\n");
    return undefined;
  },
};

function readHoldTime(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,5}$/.test(text) && Number(text) <= MOST_MS) return Number(text);
  throw usage(
    `Numeric value '${text}' for <holdtime> option is malformed or out of range`,
    "Give milliseconds: --holdtime 100",
  );
}

function usage(message: string, remedy: string): SvirtError {
  return new SvirtError(message, { kind: "usage", remedy });
}
