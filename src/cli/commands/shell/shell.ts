import type { Key } from "../../../access/key.ts";
import { SvirtError } from "../../../errors.ts";
import type { Host } from "../../../host/host.ts";
import type { Screen } from "../../../vm/query/guest-screen.ts";
import { type HelperCall, parseHelperCall } from "../../arguments/libvirt-client.ts";
import { parseScreenCall } from "../../arguments/screen-client.ts";
import { splitWords } from "../../arguments/split-words.ts";
import type { Call, Command } from "../../command.ts";

/** Variable in which sshd passes the client's command, if the key has a command of its own. sshd(8) */
const VARIABLE = "SSH_ORIGINAL_COMMAND=";

/** `svirt shell [--read-only]` */
export const command: Command = {
  spec: {
    name: "shell",
    summary: "run the svirt command of an SSH client, for keys limited to it",
    details:
      'For a line of authorized_keys: restrict,command="svirt shell --read-only" ssh-ed25519 AAAA...\n' +
      "sshd passes the client's command in SSH_ORIGINAL_COMMAND. svirt splits it at blanks, observes quotes, and starts no\n" +
      "shell. The first word must be svirt. edit is refused, since an editor can start any program. To pass a file of the\n" +
      "client, write - as its name: ssh NODE svirt define - <vm.xml\n" +
      "The whole command of libvirt's clients to start virt-ssh-helper is recognized, and served with the key's rights;\n" +
      "so is the command of virt-manager and virt-viewer for a screen. svirt connects it to a running guest's screen only.",
    recovery: "none",
    operands: [],
    options: [{ name: "read-only", summary: "allow only commands that change nothing" }],
  },
  async run(call) {
    const key = call.options.has("read-only") ? "read-only" : "limited";
    const asked = readAsked(call.instance.host);
    const helper = parseHelperCall(asked);
    if (helper !== undefined) return await serveHelper(call, helper, key);
    const screen = parseScreenCall(asked);
    if (screen !== undefined) return await connectScreen(call, screen, key);
    // Loaded here: most calls over SSH come from libvirt's clients.
    const { checkAccess } = await import("../../access.ts");
    return await call.carryOut(readWords(asked), (spec, words) => checkAccess(spec, words, key));
  },
};

/**
 * Serves a client of libvirt with the rights of the key. The check is done: no other command line comes here.
 */
async function serveHelper(call: Call, { isForReading, uri }: HelperCall, key: Key): Promise<number> {
  const options = isForReading || key === "read-only" ? ["--readonly"] : [];
  return await call.carryOut(["virt-ssh-helper", ...options, "--", uri], () => undefined);
}

/** Carries the bytes of a guest's screen. Who sees a screen types there too, so a key for reading may not. */
async function connectScreen({ instance }: Call, screen: Screen, key: Key): Promise<undefined> {
  const { refuseUse } = await import("../../access.ts");
  refuseUse({ key, use: "virDomainOpenGraphics", what: "connect to a screen" });
  const { openScreen } = await import("../../../vm/screen/open-screen.ts");
  await openScreen(instance, screen);
  return undefined;
}

/** Returns the client's command. Throws "usage" if it is not UTF-8. */
function readAsked(host: Host): string {
  const variables = (host.readText("/proc/self/environ") ?? "").split("\0");
  const asked = variables.find((variable) => variable.startsWith(VARIABLE))?.slice(VARIABLE.length) ?? "";
  // This character replaces bytes that are not UTF-8: the path would name another file.
  if (asked.includes("\ufffd")) {
    throw new SvirtError("Cannot run the command: it is not UTF-8", {
      kind: "usage",
      remedy: "Rename the file to a name in UTF-8: mv FILE NAME",
    });
  }
  return asked;
}

/**
 * Returns the client's arguments for svirt. Throws "usage" if there are none, "denied" for another program.
 */
function readWords(asked: string): readonly string[] {
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
