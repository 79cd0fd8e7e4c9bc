import { managedSaveDomain, planManagedSave } from "../../../vm/save/save-domain.ts";
import { resumesOf, WAKING_OPTIONS } from "../../arguments/exclusive.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { CRASH_OPTION, crashDrill } from "../../crash-drill.ts";
import { VERBOSE_OPTION, withProgress } from "../../output/progress.ts";

/** `svirt managedsave DOMAIN` */
export const command: Command = {
  spec: {
    name: "managedsave",
    summary: "save a guest's state for its next start, and end the guest",
    operands: [DOMAIN_OPERAND],
    options: [...WAKING_OPTIONS, VERBOSE_OPTION, CRASH_OPTION],
  },
  plan: async (call) =>
    await planManagedSave(call.instance, operand(call, "domain"), { resumes: resumesOf(call) }),
  async run(call) {
    const [resumes, observer] = [resumesOf(call), crashDrill(call)];
    const { name } = await withProgress(call, "Managedsave", (onProgress) =>
      managedSaveDomain(call.instance, operand(call, "domain"), { resumes, observer, onProgress }),
    );
    call.output.print(`\nDomain '${name}' state saved by libvirt\n\n`);
    return undefined;
  },
};
