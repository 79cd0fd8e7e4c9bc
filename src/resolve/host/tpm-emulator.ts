import type { Domain } from "../../domain/domain.ts";
import { decideFileLabel } from "../../label/file-label.ts";
import type { LabelDecision } from "../../label/label-decision.ts";
import { LABEL_ROLES } from "../../label/roles.ts";
import type { StartDecision } from "../../plan/actions/start.ts";
import { guestPaths } from "../../plan/paths.ts";
import { TPM_SOCKET } from "../../qemu/launch.ts";
import { getFileLabel } from "../../run/labels/get-file-label.ts";
import type { Instance } from "../../state/instance.ts";

// Rule: The helpers of a guest run in the guest's context.

/** TPM emulator. swtpm(8) */
const PROGRAM = "/usr/bin/swtpm";
/** Limit on descriptors: swtpm opens a state, a lock and two sockets. */
const MOST_DESCRIPTORS = 1024;

/** Returns the folder of an emulated TPM's persistent state; it is removed with the definition. */
export function tpmFolder({ paths }: Pick<Instance, "paths">, uuid: string): string {
  return `${homeOf(paths)}/${uuid}`;
}

/**
 * Creates the parent of all TPM folders. Each TPM folder has the label of the parent while no guest uses it.
 */
export function makeTpmHome({ host, paths }: Instance, domain: Domain): void {
  if (domain.devices.tpms.some(({ backend }) => backend.type === "emulator"))
    host.makeFolder({ path: homeOf(paths), mode: 0o700 });
}

/**
 * Decides the emulator of a guest's TPM, if it has a TPM. It is a process of the guest at work in the folder
 * of its state. It can open no path but its own socket.
 */
export function decideTpm(
  instance: Instance,
  domain: Domain,
  { label, uid }: { readonly label: LabelDecision; readonly uid: number },
): Pick<StartDecision, "helpers" | "assigned"> {
  const [tpm] = domain.devices.tpms;
  if (tpm?.backend.type !== "emulator") return { helpers: [], assigned: [] };
  const path = tpmFolder(instance, domain.uuid);
  const socket = `${guestPaths(instance.paths, domain.uuid).workFolder}/${TPM_SOCKET}`;
  const home = instance.host.inspectFile(homeOf(instance.paths));
  return {
    assigned: [
      {
        path,
        label: decideFileLabel(label, LABEL_ROLES["tpm-state"]["read-write"].role, undefined).to,
        original: home === undefined ? undefined : getFileLabel(instance.host, home.id),
      },
    ],
    helpers: [
      {
        program: PROGRAM,
        words: [
          ...["socket", "--ctrl", `type=unixio,path=${socket},mode=0600`],
          ...["--tpmstate", "dir=.,mode=0600", "--terminate"],
          ...(tpm.backend.version === "2.0" ? ["--tpm2"] : []),
          ...(tpm.backend.debug === undefined ? [] : ["--log", `fd=2,level=${tpm.backend.debug}`]),
        ],
        // The guest is not permitted to read the host's OpenSSL settings.
        environment: { LC_ALL: "C", PATH: "/usr/bin:/bin", OPENSSL_CONF: "/dev/null" },
        ...(label.label === undefined ? {} : { context: label.label }),
        uid,
        workFolder: path,
        logFile: `${instance.paths.log}/${domain.name}.log`,
        mostDescriptors: MOST_DESCRIPTORS,
        ready: socket,
      },
    ],
  };
}

function homeOf(paths: Instance["paths"]): string {
  return `${paths.state}/tpm`;
}
