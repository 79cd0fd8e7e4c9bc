import { SvirtError } from "../../../errors.ts";
import type { Host } from "../../../host/host.ts";
import { checkAccess } from "../../access.ts";
import { splitWords } from "../../arguments/split-words.ts";
import type { Command } from "../../command.ts";

/** Variable in which sshd passes the client's command, if the key has a command of its own. sshd(8) */
const VARIABLE = "SSH_ORIGINAL_COMMAND=";

/** `svirt shell [--read-only]` */
export const command: Command = {
  spec: {
    name: "shell",
    summary: "run the svirt command of an SSH client, for keys that may run nothing else",
    details:
      'For a line of authorized_keys: restrict,command="svirt shell --read-only" ssh-ed25519 AAAA...\n' +
      "sshd passes the client's command in SSH_ORIGINAL_COMMAND. svirt splits it at blanks, observes quotes, and starts no\n" +
      "shell. The first word must be svirt. edit is refused, since an editor can start any program. To pass a file of the\n" +
      "client, write - as its name: ssh NODE svirt define - <vm.xml",
    recovery: "none",
    operands: [],
    options: [{ name: "read-only", summary: "allow only commands that change nothing" }],
  },
  async run(call) {
    const allowed = call.options.has("read-only") ? "reads" : "changes";
    return await call.carryOut(readWords(call.instance.host), (spec, words) =>
      checkAccess(spec, words, allowed),
    );
  },
};

/**
 * Returns the client's arguments for svirt. Throws "usage" if there are none or they are not UTF-8, "denied" for another
 * program.
 */
function readWords(host: Host): readonly string[] {
  const variables = (host.readText("/proc/self/environ") ?? "").split("\0");
  const asked = variables.find((variable) => variable.startsWith(VARIABLE))?.slice(VARIABLE.length) ?? "";
  // This character replaces bytes that are not UTF-8: the path would name another file.
  if (asked.includes("\ufffd")) {
    throw new SvirtError("Cannot run the command: it is not UTF-8", {
      kind: "usage",
      remedy: "Rename the file to a name in UTF-8: mv FILE NAME",
    });
  }
  const [program, ...words] = splitWords(asked);
  if (program === undefined) {
    throw new SvirtError("Cannot run a command: the client sent no command, and this key opens no shell", {
      kind: "usage",
      remedy: "Write a command: ssh NODE svirt list",
    });
  }
  if (program === "svirt") return words;
  throw new SvirtError(`Cannot run '${program}': this key may run only svirt`, {
    kind: "denied",
    remedy: "Write: ssh NODE svirt help",
  });
}
