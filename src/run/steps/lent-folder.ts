import type { Host } from "../../host/host.ts";
import type { Step } from "../../plan/steps/step.ts";

type StepOf<Name extends Step["do"]> = Extract<Step, { do: Name }>;

/** Only the owner may enter the folder. */
const MODE = 0o700;

/** Gives the folder to the guest's user. It is created if missing. */
export function lendFolder(host: Host, { label, path, uid }: StepOf<"lend-folder">): void {
  host.makeFolder({ path, mode: MODE, uid: 0 });
  host.giveFolder(path, { uid, ...(label === undefined ? {} : { label }) });
}

/** Gives the folder back to root, and resets its mode, which its user may have changed. A missing folder is left alone. */
export function returnFolder(host: Host, { label, path }: StepOf<"return-folder">): void {
  if (host.inspectFile(path)?.type !== "folder") return;
  host.giveFolder(path, { uid: 0, mode: MODE, ...(label === undefined ? {} : { label }) });
}
